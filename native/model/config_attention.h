// What config.json says of attention: which layers see a window only, and how positions turn.
#pragma once

#include "model/config.h"
#include "model/config_fields.h"

namespace signum {

// config.architecture and config.layers are set. Fills config.attention and config.ropes; what is wrong goes
// to fields.
void read_attention(Fields& fields, ModelConfig& config);

}  // namespace signum
