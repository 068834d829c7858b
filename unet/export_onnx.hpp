// A model as ONNX, for the many programs that run it.
#pragma once

#include <filesystem>
#include <string>

namespace plume::unet {

// The bytes of an .onnx: IR version 8, opset 17 (https://github.com/onnx/onnx/blob/main/docs/IR.md, Operators.md), f32.
// Input "image" [batch, bands, height, width], pixels as stored in files; output "probability" [batch, classes, height,
// width]. Batch, height and width are free, the latter two multiples of 2^depth. Layers keep their names. The same bytes for the same model.
// Throws input_error naming the file and what is missing or damaged.
[[nodiscard]] std::string export_onnx(const std::filesystem::path& model);

}  // namespace plume::unet
