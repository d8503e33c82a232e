// A model that generates: how fast it reads, writes and begins, and what it takes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bench/random_model.h"
#include "generate/session.h"

namespace signum::bench {

// forms: with commas, of random_model.h: "f16,rtn4,signum-rc 0.25"; tables: of the packed ones. For each a
// random model is written to a folder of its name in `folder` (empty: a temporary one, removed at the end),
// or taken from there, and a row printed: file MB, prefill of 64 and 512 tokens and decoding (64 tokens
// after a prompt of 16) in tokens per second, milliseconds from opening the folder to the first token
// after a prompt of one, resident MB. Errors: those of write_random_model and of generating.
Status print_decoding(const std::string& forms, const std::string& tables, const ModelShape& shape,
                      const std::string& folder, int repeat, ThreadPool& pool);

// Opens a session on whatever device is measured.
using SessionOpener = std::function<Result<GenerationSession>(std::shared_ptr<const Model> model)>;

// Seconds of one token after a prompt of 16, of so many tokens; the median of `repeat`.
Result<double> seconds_per_token(const std::string& folder, const SessionOpener& open, size_t tokens,
                                 int repeat, ThreadPool& pool);

}  // namespace signum::bench
