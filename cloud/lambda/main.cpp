// The program `plume-lambda`: asks AWS Lambda for events and answers them, one after the other, until it is ended.
#include <fmt/core.h>
#include <nss.h>

#include <cstdio>
#include <cstdlib>

#include "cloud/credentials/chain.hpp"
#include "cloud/http/direct_transport.hpp"
#include "cloud/lambda/function.hpp"

namespace {

using namespace plume::cloud;
namespace lambda = plume::lambda;

// What is written goes to the function's log.
void log(const std::string& line) {
  fmt::print(stderr, "{}\n", line);
}

int serve() {
  // A program linked statically cannot load what else a system looks names up with.
  __nss_configure_lookup("hosts", "files dns");
  const Config config({}, system_surroundings());
  const auto transport = make_direct_transport(config.transport_settings());
  const Config config_with_transport({}, system_surroundings(transport.get()));
  const auto api = config.surroundings().word("AWS_LAMBDA_RUNTIME_API");
  if (!api) throw cloud_error(Failure::usage, "AWS_LAMBDA_RUNTIME_API is not set: AWS Lambda starts this program");
  lambda::Runtime runtime(*api, *transport, config.surroundings().clock, log);
  lambda::Settings settings;
  try {
    settings = lambda::settings_of(config.surroundings());
  } catch (const plume::Error& error) {
    runtime.fail_to_start("Runtime.WrongSettings", error.what());
    throw;
  }
  CredentialChain keys(config_with_transport);
  lambda::Function function(settings, config_with_transport, *transport, keys, log);
  while (true) {
    const lambda::Invocation invocation = runtime.next();
    ::setenv("_X_AMZN_TRACE_ID", invocation.trace_id.c_str(), 1);
    runtime.respond(invocation, function(invocation));
  }
}

}  // namespace

int main() {
  try {
    return serve();
  } catch (const std::exception& error) {
    log(std::string("plume-lambda: ") + error.what());
    return 1;
  }
}
