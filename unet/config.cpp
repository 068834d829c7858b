// Every configuration key in one table, from which reading, checking, printing and the nearest-key hint follow.
#include "unet/config.hpp"

#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

#include "kernels/base/error.hpp"
#include "kernels/base/nearest_word.hpp"

namespace plume::unet {
namespace {

// One key: how its value comes from TOML and goes back.
struct Field {
  std::string key;  // "section.name"
  std::function<void(const toml::node&)> read;
  std::function<std::string()> print;
};

[[noreturn]] void wrong(const std::string& key, const toml::node& node, const std::string& wanted) {
  std::ostringstream value;
  node.visit([&](const auto& concrete) {
    if constexpr (toml::is_value<decltype(concrete)>)
      value << concrete.get();
    else
      value << "a table or array";
  });
  throw input_error("{} = {}: {} is wanted", key, value.str(), wanted);
}

const toml::array& elements_of(const std::string& key, const toml::node& node, const std::string& wanted) {
  const toml::array* array = node.as_array();
  if (array == nullptr) wrong(key, node, wanted);
  return *array;
}

std::string toml_text(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

class Fields {
 public:
  template <class Integer>
  void integer(std::string key, Integer& value, std::int64_t least, std::int64_t most) {
    add(key, value, [=, &value](const toml::node& node) {
      const auto read = node.value_exact<std::int64_t>();
      if (!read || *read < least || *read > most)
        wrong(key, node, fmt::format("a whole number from {} to {}", least, most));
      value = static_cast<Integer>(*read);
    });
  }
  void number(std::string key, double& value, double least, double most) {
    add(key, value, [=, &value](const toml::node& node) {
      const auto read = node.value<double>();
      if (!node.is_number() || !read || !(*read >= least && *read <= most)) {
        wrong(key, node, fmt::format("a number from {} to {}", least, most));
      }
      value = *read;
    });
  }
  void boolean(std::string key, bool& value) {
    add(key, value, [=, &value](const toml::node& node) {
      const auto read = node.value_exact<bool>();
      if (!read) wrong(key, node, "true or false");
      value = *read;
    });
  }
  void text(std::string key, std::string& value) {
    fields_.push_back({key,
                       [=, &value](const toml::node& node) {
                         const auto read = node.value_exact<std::string>();
                         if (!read) wrong(key, node, "text in quotes");
                         value = *read;
                       },
                       [&value] { return toml_text(value); }});
  }
  void numbers(std::string key, std::vector<double>& values, double least, double most) {
    const auto read = [=, &values](const toml::node& node) {
      const std::string wanted = fmt::format("a list of numbers from {} to {}, as [1, 2.5],", least, most);
      std::vector<double> list;
      for (const toml::node& element : elements_of(key, node, wanted)) {
        const auto number = element.value<double>();
        if (!element.is_number() || !number || !(*number >= least && *number <= most)) wrong(key, element, wanted);
        list.push_back(*number);
      }
      values = list;
    };
    fields_.push_back({std::move(key), read, [&values] { return fmt::format("[{}]", fmt::join(values, ", ")); }});
  }
  void texts(std::string key, std::vector<std::string>& values) {
    const auto read = [=, &values](const toml::node& node) {
      constexpr const char* wanted = "a list of names, as [\"enc*\"],";
      std::vector<std::string> list;
      for (const toml::node& element : elements_of(key, node, wanted)) {
        const auto text = element.value_exact<std::string>();
        if (!text) wrong(key, element, wanted);
        list.push_back(*text);
      }
      values = list;
    };
    const auto print = [&values] {
      std::vector<std::string> quoted;
      for (const std::string& value : values) quoted.push_back(toml_text(value));
      return fmt::format("[{}]", fmt::join(quoted, ", "));
    };
    fields_.push_back({std::move(key), read, print});
  }
  template <class Enum>
  void choice(std::string key, Enum& value, std::vector<std::pair<std::string, Enum>> names) {
    const auto read = [=, &value](const toml::node& node) {
      const auto name = node.value_exact<std::string>();
      const auto found = std::find_if(names.begin(), names.end(), [&](const auto& pair) { return pair.first == name; });
      if (found == names.end()) {
        std::vector<std::string> all;
        for (const auto& pair : names) all.push_back(pair.first);
        const std::string nearest = name ? fmt::format(" (did you mean {}?)", nearest_word(*name, all)) : "";
        wrong(key, node, fmt::format("one of {}{}", fmt::join(all, ", "), nearest));
      }
      value = found->second;
    };
    const auto print = [=, &value] {
      return toml_text(
          std::find_if(names.begin(), names.end(), [&](const auto& pair) { return pair.second == value; })->first);
    };
    fields_.push_back({std::move(key), read, print});
  }

  [[nodiscard]] const std::vector<Field>& all() const { return fields_; }

 private:
  template <class Value, class Read>
  void add(const std::string& key, Value& value, Read read) {
    fields_.push_back({key, std::move(read), [&value] { return fmt::format("{}", value); }});
  }

  std::vector<Field> fields_;
};

constexpr std::int64_t many = std::int64_t{1} << 40;

Fields fields_of(Config& c) {
  Fields f;
  f.text("data.shard", c.data.shard);
  f.boolean("data.normalize", c.data.normalize);
  f.integer("data.loader_threads", c.data.loader_threads, 1, 256);
  f.integer("data.shuffle_window", c.data.shuffle_window, 0, 1 << 30);

  for (const data::AugmentStrength& strength : data::augment_strengths) {
    f.number(std::string("augment.") + strength.name, c.augment.*strength.value, strength.least, strength.most);
  }
  f.integer("augment.elastic_cells", c.augment.elastic_cells, 1, data::most_elastic_cells);

  f.choice("model.family", c.model.family, {{"classic", Family::classic}, {"pixel_detector", Family::pixel_detector}});
  f.integer("model.bands", c.model.bands, 1, 16);
  f.integer("model.classes", c.model.classes, 1, 254);
  f.integer("model.base", c.model.base, 1, 1024);
  f.integer("model.depth", c.model.depth, 1, 6);
  f.choice("model.up", c.model.up,
           {{"transposed", Up::transposed}, {"bilinear", Up::bilinear}, {"aligned", Up::aligned}});
  f.integer("model.wide", c.model.wide, 1, 1024);
  f.integer("model.deep_supervision", c.model.deep_supervision, 0, 5);
  f.choice("model.init", c.initializer,
           {{"he", nn::Initializer::he}, {"glorot", nn::Initializer::glorot}, {"pytorch", nn::Initializer::pytorch}});
  f.text("model.weights", c.weights);

  f.integer("train.steps", c.train.steps, 0, many);
  f.integer("train.epochs", c.train.epochs, 0, many);
  f.integer("train.batch", c.train.batch, 1, 65536);
  f.integer("train.accumulate", c.train.accumulate, 1, 65536);
  f.integer("train.crop", c.train.crop, 0, 65536);
  f.boolean("train.flip", c.train.flip);
  f.boolean("train.rotate", c.train.rotate);
  f.number("train.class_share", c.train.class_share, 0, 1);
  f.number("train.class_threshold", c.train.class_threshold, 0, 1);
  f.integer("train.seed", c.train.seed, 0, many);
  f.integer("train.validate_every", c.train.validate_every, 1, many);
  f.integer("train.patience", c.train.patience, 0, 1 << 30);
  f.integer("train.keep", c.train.keep, 1, 1000);
  f.boolean("train.sharded_checkpoints", c.train.sharded);
  f.integer("train.log_every", c.train.log_every, 1, 1 << 30);
  f.integer("train.pictures", c.train.pictures, 0, 64);
  f.number("train.threshold", c.train.threshold, 0, 1);
  f.integer("train.threads", c.train.threads, 0, 1024);
  f.number("train.clip_norm", c.optimizer.clip_norm, 0, 1e12);
  f.number("train.ema", c.optimizer.average, 0, 0.9999999);
  f.texts("train.freeze", c.train.freeze);
  f.choice("train.on_nan", c.train.on_nan, {{"stop", OnNan::stop}, {"skip", OnNan::skip}});
  f.number("train.explode", c.train.explode, 1, 1e30);
  f.choice("train.device", c.train.device.kind, device_names);
  f.choice("train.precision", c.train.device.precision, precision_names);
  f.choice("train.conv", c.train.device.conv, conv_names);
  f.choice("train.recompute", c.train.recompute,
           {{"auto", Recompute::automatic}, {"always", Recompute::always}, {"never", Recompute::never}});
  f.boolean("train.cuda_graph", c.train.cuda_graph);

  f.number("loss.cross_entropy", c.loss.cross_entropy, 0, 1e6);
  f.number("loss.dice", c.loss.dice, 0, 1e6);
  f.number("loss.focal", c.loss.focal, 0, 1e6);
  f.number("loss.tversky", c.loss.tversky, 0, 1e6);
  f.number("loss.lovasz", c.loss.lovasz, 0, 1e6);
  f.number("loss.ordinal", c.loss.ordinal, 0, 1e6);
  f.numbers("loss.class_weights", c.class_weights, 0, 1e6);
  f.number("loss.label_smoothing", c.loss.label_smoothing, 0, 0.999);
  f.number("loss.focal_gamma", c.loss.focal_gamma, 0, 100);
  f.number("loss.dice_smooth", c.loss.dice_smooth, 1e-12, 1e12);
  f.number("loss.tversky_alpha", c.loss.tversky_shape.alpha, 0, 1e6);
  f.number("loss.tversky_beta", c.loss.tversky_shape.beta, 0, 1e6);
  f.number("loss.tversky_gamma", c.loss.tversky_shape.gamma, 0.1, 10);
  f.number("loss.tversky_smooth", c.loss.tversky_shape.smooth, 1e-12, 1e12);

  f.choice("optimizer.name", c.optimizer.kind,
           {{"adamw", nn::OptimizerSettings::Kind::adamw},
            {"sgd", nn::OptimizerSettings::Kind::sgd},
            {"lamb", nn::OptimizerSettings::Kind::lamb},
            {"lars", nn::OptimizerSettings::Kind::lars}});
  f.number("optimizer.lr", c.schedule.lr, 0, 1e3);
  f.number("optimizer.weight_decay", c.optimizer.weight_decay, 0, 1e3);
  f.number("optimizer.beta1", c.optimizer.beta1, 0, 0.999999);
  f.number("optimizer.beta2", c.optimizer.beta2, 0, 0.999999999);
  f.number("optimizer.epsilon", c.optimizer.epsilon, 1e-16, 1);
  f.number("optimizer.momentum", c.optimizer.momentum, 0, 0.999999);
  f.boolean("optimizer.nesterov", c.optimizer.nesterov);
  f.number("optimizer.trust", c.optimizer.trust, 0, 1);

  using Kind = ScheduleSettings::Kind;
  f.choice("schedule.name", c.schedule.kind,
           {{"constant", Kind::constant},
            {"cosine", Kind::cosine},
            {"one_cycle", Kind::one_cycle},
            {"poly", Kind::poly},
            {"plateau", Kind::plateau}});
  f.number("schedule.warmup", c.schedule.warmup, 0, 1);
  f.number("schedule.min_factor", c.schedule.min_factor, 0, 1);
  f.number("schedule.power", c.schedule.power, 0.01, 100);
  f.number("schedule.factor", c.schedule.factor, 1e-6, 0.999);
  f.integer("schedule.patience", c.schedule.patience, 1, 1 << 30);

  f.choice("dist.backend", c.dist.backend,
           {{"auto", Backend::automatic}, {"mpi", Backend::mpi}, {"nccl", Backend::nccl}});
  f.choice("dist.timing", c.dist.timing, timing_names);
  f.choice("dist.wire", c.dist.wire, {{"f32", dist::Wire::f32}, {"bf16", dist::Wire::bf16}, {"f16", dist::Wire::f16}});
  f.number("dist.bucket", c.dist.bucket, 0, 1024);
  f.number("dist.deadline", c.dist.deadline, 1, 86400);
  f.boolean("dist.sync_batch_norm", c.dist.sync_batch_norm);
  return f;
}

void require_known(const std::string& key, const Fields& fields) {
  const auto& all = fields.all();
  if (std::any_of(all.begin(), all.end(), [&](const Field& field) { return field.key == key; })) return;
  std::vector<std::string> keys;
  for (const Field& field : all) keys.push_back(field.key);
  throw input_error("unknown key {}{}", key, suggestion(key, keys));
}

void apply(const toml::table& root, const Fields& fields) {
  for (const auto& [section_key, section] : root) {
    const std::string section_name(section_key.str());
    const toml::table* table = section.as_table();
    if (table == nullptr) {
      require_known(section_name, fields);
      throw input_error("key {} stands outside of its section", section_name);
    }
    for (const auto& [key, node] : *table) {
      const std::string full = section_name + "." + std::string(key.str());
      require_known(full, fields);
      for (const Field& field : fields.all()) {
        if (field.key == full) field.read(node);
      }
    }
  }
}

toml::table parse(const std::string& text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw input_error("{}:{}:{}: {}", name, at.line, at.column, error.description());
  }
}

// "train.steps=100" or "data.shard=tiles.h5": a value that is no TOML is taken as text.
void apply_override(const std::string& setting, const Fields& fields) {
  const auto equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw usage_error("--set {}: write it as key=value, for example train.steps=100", setting);
  }
  const std::string key = setting.substr(0, equals);
  const std::string value = setting.substr(equals + 1);
  require_known(key, fields);
  toml::table table;
  try {
    table = toml::parse("value = " + value);
  } catch (const toml::parse_error&) {
    table = toml::table{{"value", value}};
  }
  for (const Field& field : fields.all()) {
    if (field.key == key) field.read(*table.get("value"));
  }
}

}  // namespace

Config load_config(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  if (std::filesystem::is_directory(path)) throw input_error("{}: is a folder, not a configuration", path.string());
  std::ifstream file(path, std::ios::binary);
  if (!file) throw input_error("{}: cannot be read as a configuration: {}", path.string(), std::strerror(errno));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) throw input_error("{}: cannot be read as a configuration", path.string());
  Config config;
  const Fields fields = fields_of(config);
  const toml::table root = parse(text, path.string());
  with_context(path.string(), [&] { apply(root, fields); });
  for (const std::string& setting : overrides) apply_override(setting, fields);
  require_consistent(config);
  return config;
}

Config parse_config(const std::string& text, const std::string& name) {
  Config config;
  const Fields fields = fields_of(config);
  const toml::table root = parse(text, name);
  with_context(name, [&] { apply(root, fields); });
  return config;
}

std::string to_toml(const Config& config) {
  Config copy = config;
  std::string text;
  std::string section;
  const Fields fields = fields_of(copy);
  for (const Field& field : fields.all()) {
    const auto dot = field.key.find('.');
    if (field.key.substr(0, dot) != section) {
      section = field.key.substr(0, dot);
      text += (text.empty() ? "[" : "\n[") + section + "]\n";
    }
    std::string value = field.print();
    text += field.key.substr(dot + 1) + " = " + value + "\n";
  }
  return text;
}

std::vector<std::string> differing_keys(const Config& a, const Config& b) {
  Config first = a;
  Config second = b;
  const Fields fields = fields_of(first);
  const Fields others = fields_of(second);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < fields.all().size(); ++i) {
    if (fields.all()[i].print() != others.all()[i].print()) keys.push_back(fields.all()[i].key);
  }
  return keys;
}

}  // namespace plume::unet
