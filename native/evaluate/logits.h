// Logits of one token sequence.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "base/matrix.h"
#include "model/decoder_layer.h"

namespace signum {

class ThreadPool;

// tokens_invalid (none, or an id outside the vocabulary), context_too_long.
Status check_sequence(const Model& model, std::span<const uint32_t> tokens);

// [tokens, vocabulary] F32; row t scores the token after t. Errors: those of check_sequence and of reading
// weights.
Result<Matrix> logits(const Model& model, std::span<const uint32_t> tokens, ThreadPool& pool,
                      WeightForm form = WeightForm::Mapped);

}  // namespace signum
