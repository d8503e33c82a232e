// What run/ tells, as events; what it asks, from the control.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "run/observer.h"
#include "worker/control.h"
#include "worker/events.h"

namespace signum {

// The fields of a `layer` event.
nlohmann::ordered_json linear_json(const LinearReport& report);

class EventObserver : public Observer {
 public:
  EventObserver(EventWriter& events, const Control& control) : events_(events), control_(control) {}
  void plan(const RunPlan& plan) override;
  void progress(const ProgressReport& report) override;
  void linear(const LinearReport& report) override;
  void measured(const Measurement& measurement) override;
  void sensitivity(const Sensitivity& sensitivity) override;
  void saved(size_t layer, const std::string& file, uint64_t bytes) override;
  void warning(const std::string& code, const std::string& message) override;
  bool stop_requested() override { return control_.stop_requested(); }
  bool cancelled() override { return control_.cancelled() || events_.broken(); }

 private:
  EventWriter& events_;
  const Control& control_;
};

}  // namespace signum
