#include "model/config_attention.h"

namespace signum {
namespace {

using Json = nlohmann::json;

constexpr size_t kLongest = size_t(1) << 30;
constexpr const char* kWindowed = "sliding_attention";
constexpr const char* kFull = "full_attention";

// Absent and null differ here: absent is the family's usual window, null is none.
size_t read_window(Fields& fields, const Architecture& architecture) {
  if (fields.is_null("sliding_window")) return 0;
  return fields.whole("sliding_window", 1, kLongest, architecture.window);
}

// layer_types: a name for each layer. False when there is no such key.
bool read_layer_types(Fields& fields, size_t window, ModelConfig& config) {
  const Json* types = fields.find("layer_types");
  if (!types) return false;
  if (!types->is_array() || types->size() != config.layers) {
    fields.refuse(config_invalid("layer_types must have a name for each of the " +
                                 std::to_string(config.layers) + " layers, but it is " + shown(*types) +
                                 "."));
    return true;
  }
  for (size_t layer = 0; layer < config.layers; ++layer) {
    const Json& type = (*types)[layer];
    if (type != kWindowed && type != kFull) {
      fields.refuse(unsupported_option("layer_types", shown(type), "full_attention, sliding_attention"));
      return true;
    }
    if (type == kWindowed) config.attention[layer].window = window;
  }
  return true;
}

void read_windows(Fields& fields, ModelConfig& config) {
  const Architecture& architecture = *config.architecture;
  config.attention.assign(config.layers, {});
  if (architecture.windows == Windows::None) return;
  if (architecture.windows == Windows::Upper && !fields.flag("use_sliding_window", false)) return;
  const size_t window = read_window(fields, architecture);
  if (architecture.windows != Windows::Every && read_layer_types(fields, window, config)) return;

  const size_t first =
      architecture.windows == Windows::Upper ? fields.whole("max_window_layers", 0, kLongest, 28) : 0;
  size_t pattern = 0;
  if (architecture.windows == Windows::Pattern)
    pattern = fields.whole("sliding_window_pattern", 1, kLongest,
                           fields.whole("_sliding_window_pattern", 1, kLongest, architecture.pattern));
  for (size_t layer = first; layer < config.layers; ++layer)
    if (pattern == 0 || (layer + 1) % pattern != 0) config.attention[layer].window = window;
}

// The keys of rope_scaling, or of transformers 5's rope_parameters; `name` is the key for messages.
void read_scaling(Fields& inner, const char* name, size_t context, Rope& rope) {
  const std::string type = inner.text("rope_type", inner.text("type", "default"));
  // Dynamic scaling begins above max_position_embeddings; longer sequences are refused.
  if (type == "default" || type == "dynamic") return;
  if (type != "linear" && type != "llama3") {
    inner.refuse(unsupported_option(name, type, "default, linear, dynamic, llama3"));
    return;
  }
  rope.factor = inner.positive("factor");
  rope.scaling = type == "linear" ? Rope::Scaling::Linear : Rope::Scaling::Llama3;
  if (rope.scaling == Rope::Scaling::Linear) return;
  rope.low_factor = inner.positive("low_freq_factor");
  rope.high_factor = inner.positive("high_freq_factor");
  rope.trained_length = inner.positive("original_max_position_embeddings", double(context));
  if (rope.high_factor <= rope.low_factor)
    inner.refuse(config_invalid(std::string(name) + ": high_freq_factor must be above low_freq_factor."));
}

void refuse_partial(Fields& fields) {
  if (const Json* share = fields.find("partial_rotary_factor"); share && *share != 1.0)
    fields.refuse(unsupported_option("partial_rotary_factor", shown(*share), "1"));
}

// One object of rope_parameters or rope_scaling.
void read_rope(Fields& fields, const char* name, const Json& object, size_t context, Rope& rope) {
  if (!object.is_object()) {
    fields.refuse(config_invalid(std::string(name) + " must be an object, but it is " + shown(object) + "."));
    return;
  }
  Fields inner(object);
  rope.theta = inner.positive("rope_theta", rope.theta);
  read_scaling(inner, name, context, rope);
  refuse_partial(inner);
  if (inner.error()) fields.refuse(*inner.error());
}

// transformers 5 moved rope_theta and the former rope_scaling into rope_parameters, for models with two kinds
// of layers into one object for each kind.
void read_ropes(Fields& fields, ModelConfig& config) {
  const Architecture& architecture = *config.architecture;
  if (architecture.positions) return;
  Rope global{.theta = fields.positive("rope_theta", architecture.rope_theta)}, local;
  const bool two = architecture.local_rope_theta > 0;
  local.theta = two ? fields.positive("rope_local_base_freq", architecture.local_rope_theta) : 0;
  if (const Json* parameters = fields.find("rope_parameters")) {
    if (two && parameters->is_object() && (parameters->contains(kFull) || parameters->contains(kWindowed))) {
      if (parameters->contains(kFull))
        read_rope(fields, "rope_parameters", (*parameters)[kFull], config.context, global);
      if (parameters->contains(kWindowed))
        read_rope(fields, "rope_parameters", (*parameters)[kWindowed], config.context, local);
    } else {
      read_rope(fields, "rope_parameters", *parameters, config.context, global);
    }
  } else if (const Json* scaling = fields.find("rope_scaling")) {
    read_rope(fields, "rope_scaling", *scaling, config.context, global);
  }
  refuse_partial(fields);
  config.ropes = {global};
  if (!two) return;
  config.ropes.push_back(local);
  for (LayerAttention& layer : config.attention) layer.rope = layer.window > 0;
}

}  // namespace

void read_attention(Fields& fields, ModelConfig& config) {
  read_windows(fields, config);
  read_ropes(fields, config);
}

}  // namespace signum
