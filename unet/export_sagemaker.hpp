// A model as SageMaker takes it: model.tar.gz, with files at its root, which it unpacks to /opt/ml/model.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace plume::unet {

struct ExportOptions {
  std::string name;  // of the model, for people
  double threshold = 0.5;
};

// model.safetensors, which is the model in a file without what only a training needs (the optimiser's state, the
// configuration), and model.json: name, sha256 of the former, bands, classes, size_multiple, threshold. The same bytes
// for the same model and options. Throws input_error naming the file and what is missing or damaged.
[[nodiscard]] std::vector<std::byte> export_sagemaker(const std::filesystem::path& model, const ExportOptions& options);

}  // namespace plume::unet
