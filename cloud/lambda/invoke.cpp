// One signed POST.
#include "cloud/lambda/invoke.hpp"

#include "cloud/signing/percent.hpp"

namespace plume::lambda {

using namespace cloud;

HttpResponse invoke_endpoint(ServiceClient& client, const Endpoint& runtime, const Invoke& invoke) {
  TextBody body(invoke.body);
  ServiceRequest post;
  post.what = "InvokeEndpoint " + invoke.endpoint;
  post.endpoint = runtime;
  post.method = "POST";
  post.path = "/endpoints/" + percent_encode(invoke.endpoint) + "/invocations";
  post.headers = {{"Content-Type", invoke.content_type}};
  if (!invoke.accept.empty()) post.headers.push_back({"Accept", invoke.accept});
  if (!invoke.custom_attributes.empty())
    post.headers.push_back({"X-Amzn-SageMaker-Custom-Attributes", invoke.custom_attributes});
  post.body = &body;
  post.payload_hash = hex(sha256(invoke.body));
  return client.answer(post);
}

}  // namespace plume::lambda
