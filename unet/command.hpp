// The commands of `plume`, each in a file of commands/: what CLI11 parses, and what runs then.
#pragma once

#include <CLI/CLI.hpp>

#include "unet/cli/program.hpp"

namespace plume::unet {

// Each adds its subcommand to the application and sets `action` when it is the one that was called.
void add_data_commands(CLI::App& app, Action& action);
void add_train_command(CLI::App& app, Action& action);
void add_eval_command(CLI::App& app, Action& action);
void add_predict_command(CLI::App& app, Action& action);
void add_import_commands(CLI::App& app, Action& action);
void add_export_commands(CLI::App& app, Action& action);
void add_doctor_command(CLI::App& app, Action& action);
void add_bench_command(CLI::App& app, Action& action);
void add_quantize_command(CLI::App& app, Action& action);
void add_cloud_commands(CLI::App& app, Action& action);
void add_report_command(CLI::App& app, Action& action);

inline constexpr int exit_requeue = 85;  // stopped by a signal, to be resumed

}  // namespace plume::unet
