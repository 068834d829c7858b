// The commands of `plume`, each in a file of commands/: what CLI11 parses, and what runs then.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "unet/inference/device.hpp"

namespace plume::unet {

// Runs after parsing; the value is the exit code.
using Action = std::function<int()>;

// Each adds its subcommand to the application and sets `action` when it is the one that was called.
void add_data_commands(CLI::App& app, Action& action);
void add_train_command(CLI::App& app, Action& action);
void add_eval_command(CLI::App& app, Action& action);
void add_predict_command(CLI::App& app, Action& action);
void add_import_commands(CLI::App& app, Action& action);
void add_doctor_command(CLI::App& app, Action& action);
void add_bench_command(CLI::App& app, Action& action);
void add_quantize_command(CLI::App& app, Action& action);

// --device, --precision and --conv, for commands that predict; without the first and int8, for others that run a network.
void add_device_options(CLI::App& command, DeviceSettings& settings);
void add_arithmetic_options(CLI::App& command, DeviceSettings& settings);

inline constexpr int exit_requeue = 85;  // stopped by a signal, to be resumed

}  // namespace plume::unet
