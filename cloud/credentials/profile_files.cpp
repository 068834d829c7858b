// Line by line: a section in brackets, a property, or an indented line that goes on with the property before.
#include "cloud/credentials/profile_files.hpp"

#include <algorithm>

#include "cloud/signing/headers.hpp"
#include "cloud/signing/secret.hpp"

namespace plume::cloud {
namespace {

enum class File { config, credentials };

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_/.%@:+").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

// Without a comment, which a blank parts from what stands before it.
std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool after_blank = text[i - 1] == ' ' || text[i - 1] == '\t';
    if (after_blank && (text[i] == '#' || text[i] == ';')) return text.substr(0, i);
  }
  return text;
}

class Parser {
 public:
  Parser(ProfileFiles& into, File file) : into_(into), file_(file) {}

  void parse(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      ++line_;
      take(text.substr(at, end - at));
      at = end + 1;
    }
  }

 private:
  void take(std::string_view line) {
    const std::string_view content = trimmed(line);
    if (content.empty()) return;
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (!indented && (line.front() == '#' || line.front() == ';')) return;
    if (indented) {
      go_on(content);
    } else if (line.front() == '[') {
      begin(content);
    } else {
      property(content);
    }
  }

  void begin(std::string_view line) {
    const std::size_t end = line.find(']');
    if (end == std::string_view::npos) fail("Profile definition must end with ']'");
    in_section_ = true;
    value_ = nullptr;
    section_ = nullptr;
    std::string_view name = trimmed(line.substr(1, end - 1));
    Sections* kind = &into_.profiles;
    bool prefixed = false;
    if (file_ == File::config) {
      const std::size_t blank = name.find_first_of(" \t");
      const std::string_view word = name.substr(0, blank);
      prefixed = blank != std::string_view::npos;
      if (prefixed) name = trimmed(name.substr(blank));
      if (prefixed && word == "sso-session") kind = &into_.sso_sessions;
      if (prefixed && word == "services") kind = &into_.services;
      const bool known = prefixed && (word == "profile" || kind != &into_.profiles);
      if (!known && name != "default") return;  // its properties go nowhere
    }
    if (!is_name(name)) return;
    if (file_ == File::config && kind == &into_.profiles && name == "default" && !default_counts(prefixed)) return;
    section_ = &(*kind)[std::string(name)];
  }

  // [profile default] replaces all of [default].
  bool default_counts(bool prefixed) {
    if (prefixed && !default_prefixed_) {
      into_.profiles.erase("default");
      default_prefixed_ = true;
    }
    return prefixed || !default_prefixed_;
  }

  void property(std::string_view line) {
    if (!in_section_) fail("Expected a profile definition");
    line = without_comment(line);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) fail("Expected an '=' sign defining a property");
    const std::string name = lower_case(trimmed(line.substr(0, equals)));
    if (name.empty()) fail("Property did not have a name");
    value_ = &ignored_;
    if (section_ != nullptr && is_name(name)) value_ = &(*section_)[name];
    *value_ = trimmed(line.substr(equals + 1));
    has_sub_properties_ = value_->empty();
  }

  void go_on(std::string_view line) {
    if (!in_section_) fail("Expected a profile definition");
    if (value_ == nullptr) fail("Expected a property definition, found continuation");
    if (has_sub_properties_) {
      const std::size_t equals = line.find('=');
      if (equals == std::string_view::npos) fail("Expected an '=' sign defining a sub-property");
      if (trimmed(line.substr(0, equals)).empty()) fail("Sub-property did not have a name");
    }
    *value_ += '\n';
    *value_ += line;
  }

  [[noreturn]] void fail(std::string_view why) const {
    throw cloud_error(Failure::usage, "line {} of the {} file: {}", line_,
                      file_ == File::config ? "config" : "credentials", why);
  }

  ProfileFiles& into_;
  File file_;
  int line_ = 0;
  bool in_section_ = false;
  bool default_prefixed_ = false;
  Properties* section_ = nullptr;  // nullptr: of a section that is ignored
  std::string* value_ = nullptr;   // the property that an indented line goes on with
  std::string ignored_;
  bool has_sub_properties_ = false;
};

}  // namespace

ProfileLocations profile_locations(const Surroundings& surroundings) {
  const std::filesystem::path home = surroundings.variable("HOME").value_or("");
  // "~" is the shell's, but people write it into variables.
  const auto located = [&](const char* name, const char* usual) {
    const auto given = surroundings.word(name);
    if (!given) return home / ".aws" / usual;
    return given->starts_with("~/") ? home / given->substr(2) : std::filesystem::path(*given);
  };
  return {located("AWS_CONFIG_FILE", "config"), located("AWS_SHARED_CREDENTIALS_FILE", "credentials")};
}

ProfileFiles parse_profiles(std::string_view config, std::string_view credentials) {
  ProfileFiles files;
  Parser(files, File::config).parse(config);
  Parser(files, File::credentials).parse(credentials);
  return files;
}

ProfileFiles read_profiles(const Surroundings& surroundings) {
  const ProfileLocations locations = profile_locations(surroundings);
  std::string credentials = surroundings.file(locations.credentials).value_or("");
  const std::string config = surroundings.file(locations.config).value_or("");
  try {
    ProfileFiles files = parse_profiles(config, credentials);
    wipe(credentials);
    return files;
  } catch (const Error& error) {
    throw cloud_error(Failure::usage, "{} or {}: {}", locations.config.string(), locations.credentials.string(),
                      error.what());
  }
}

Properties sub_properties(std::string_view value) {
  Properties properties;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t end = std::min(value.find('\n', at), value.size());
    const std::string_view line = value.substr(at, end - at);
    at = end + 1;
    if (const std::size_t equals = line.find('='); equals != std::string_view::npos)
      properties[lower_case(trimmed(line.substr(0, equals)))] = trimmed(line.substr(equals + 1));
  }
  return properties;
}

}  // namespace plume::cloud
