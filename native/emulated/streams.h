// Streams of the emulated device: what is put into them is done as late as it may be, when somebody waits for
// it, and a stream on its own. So host memory that goes too soon, a result that is read too soon and a stream
// that does not wait for another show themselves, as they would on a card on an unlucky day.
#pragma once

#include <functional>
#include <memory>

namespace signum::emulated {

class Queue {
 public:
  Queue();
  void put(std::function<void()> work);
  // Does what is in it, and of other queues what that waits for.
  void empty();
  // What is put in from now on waits for what has been put into `other`, which may go.
  void wait_for(Queue& other);

 private:
  struct Work;
  std::shared_ptr<Work> work_;
};

}  // namespace signum::emulated
