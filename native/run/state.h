// state.json of a run folder: how far the run came, and under which fingerprint. Written only after what it
// speaks of is durable.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
#include "run/fingerprint.h"
#include "run/observer.h"

namespace signum {

// Layers that were finished on another device than the one that the run goes on with.
struct EarlierDevice {
  size_t finished_layers = 0;  // when it was left
  std::string device;          // Backend::fingerprint()
};

struct RunState {
  Fingerprint fingerprint;
  std::vector<EarlierDevice> earlier;  // in their order
  size_t layers = 0;
  size_t finished_layers = 0;         // their shards are there
  bool complete = false;              // the rest shard, the index and the copied files too
  std::vector<LinearReport> linears;  // of the finished layers

  // What is still to come is computed on `device`. False where it is already.
  bool move_to(const std::string& device);
  // Which layers were made where, as a sentence; empty where one device has made them all.
  std::string made_where() const;
};

// Errors: read_failed; nothing_to_resume when the file is not one of this program.
Result<RunState> read_state(const std::string& path);
Status write_state(const std::string& path, const RunState& state);

}  // namespace signum
