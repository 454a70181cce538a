// A model's file part by part, so that writing it takes no second copy of its tensors.
#pragma once
#include <functional>
#include <span>

#include "sluice/core/model_file.h"

namespace sluice {

// put(bytes) for one part after the other, in the file's order; together they are encode_model(model).
void each_model_part(const ModelFile& model, const std::function<void(std::span<const std::byte>)>& put);

}  // namespace sluice
