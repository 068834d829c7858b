"""As much of AWS as plume's cloud commands meet, by a script: endpoints walk through the states that a test gives them,
requests are throttled and replies lost as it says. It verifies signatures and inputs, refuses duplicates and keeps a
log."""
import collections
import http.server
import json
import threading
import time
import urllib.parse

import models
import signatures

ACCOUNT = "123456789012"
REGION = "us-east-1"


class Problem(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class FakeAws:
    def __init__(self, keys, model_folder):
        self.keys = keys
        self.model = models.load(model_folder)
        self.lock = threading.RLock()
        self.log = []           # (service, operation, input)
        self.violations = []    # what no client must do
        self.models, self.configs, self.endpoints = {}, {}, {}
        self.scaling, self.policies = {}, {}
        self.objects = {}       # "bucket/key": (bytes, headers)
        self.lines = {}         # log group: [text]
        self.create_script = ["Creating", "Creating", "InService"]
        self.update_script = ["Updating", "Updating", "InService"]
        self.failure = "The primary container for production variant plume did not pass the ping health check."
        self.throttle = 0       # so many requests to SageMaker are refused
        self.lost = collections.Counter()  # operation: so many replies are lost after it was carried out
        self.forbidden = set()  # operations that this user may not call
        self.answer = lambda name, headers, body: (200, {"Content-Type": "application/json"}, b'{"predictions": []}')
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # head and body go together: nobody waits for an acknowledgement between them

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True

            def do(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                reply = fake.serve(self.command, self.path, dict(self.headers), body)
                if reply is None:  # lost
                    self.close_connection = True
                    return
                status, headers, text = reply
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def operations(self, *kinds):
        """Of the log, those that begin with one of these; all without any."""
        return [operation for _, operation, _ in self.log if not kinds or operation.startswith(kinds)]

    def inputs(self, operation):
        return [value for _, name, value in self.log if name == operation]

    # One request.

    def serve(self, method, target, headers, body):
        path, _, query = target.partition("?")
        host = {name.lower(): value for name, value in headers.items()}["host"]
        with self.lock:
            try:
                service, _ = signatures.verify(method, f"http://{host}{target}", headers, body, self.keys)
            except signatures.Refused as refused:
                self.log.append(("refused", refused.code, {}))
                return self.refuse(refused.code, refused.message, refused.status)
            try:
                reply = self.dispatch(service, method, path, query, headers, body)
            except Problem as problem:
                reply = self.refuse(problem.code, problem.message, problem.status)
            operation = headers.get("X-Amz-Target", ".").split(".")[1]
            if self.lost[operation] > 0:
                self.lost[operation] -= 1
                return None
            return reply

    @staticmethod
    def refuse(code, message, status):
        text = json.dumps({"__type": code, "message": message}).encode()
        return status, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code,
                        "x-amzn-RequestId": "req-1"}, text

    def dispatch(self, service, method, path, query, headers, body):
        if service == "s3":
            return self.s3(method, path, query, headers, body)
        if service in ("sts", "iam"):
            return self.query(service, dict(urllib.parse.parse_qsl(body.decode())))
        if path.startswith("/endpoints/"):
            return self.runtime(path, headers, body)
        prefix, operation = headers["X-Amz-Target"].split(".")
        value = json.loads(body)
        self.log.append((service, operation, value))
        if operation in self.forbidden:
            raise Problem("AccessDeniedException", f"User is not authorized to perform {operation}")
        if prefix == "SageMaker":
            if self.throttle > 0:
                self.throttle -= 1
                raise Problem("ThrottlingException", "Rate exceeded")
            self.violations += models.problems(self.model, operation, value)
        reply = getattr(self, operation)(**value)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(reply or {}).encode()

    # SageMaker.

    @staticmethod
    def arn(kind, name):
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"

    def create(self, table, kind, name, value):
        if name in table:
            raise Problem("ValidationException", f'Cannot create already existing {kind} "{self.arn(kind, name)}".')
        table[name] = dict(value, arn=self.arn(kind, name), CreationTime=time.time(), LastModifiedTime=time.time())
        return table[name]["arn"]

    def find(self, table, kind, name):
        if name not in table:
            raise Problem("ValidationException", f'Could not find {kind} "{self.arn(kind, name)}".')
        return table[name]

    def CreateModel(self, ModelName, **value):
        return {"ModelArn": self.create(self.models, "model", ModelName, value)}

    def DescribeModel(self, ModelName):
        value = self.find(self.models, "model", ModelName)
        return dict({k: v for k, v in value.items() if k not in ("arn", "Tags", "LastModifiedTime")},
                    ModelName=ModelName, ModelArn=value["arn"])

    def DeleteModel(self, ModelName):
        self.find(self.models, "model", ModelName)
        if any(variant["ModelName"] == ModelName for endpoint in self.endpoints.values()
               for variant in self.configs.get(endpoint["config"], {"ProductionVariants": []})["ProductionVariants"]):
            self.violations.append(f"DeleteModel {ModelName}, which an endpoint runs")
        del self.models[ModelName]

    def CreateEndpointConfig(self, EndpointConfigName, **value):
        for variant in value["ProductionVariants"]:
            self.find(self.models, "model", variant["ModelName"])
        return {"EndpointConfigArn": self.create(self.configs, "endpoint-config", EndpointConfigName, value)}

    def DescribeEndpointConfig(self, EndpointConfigName):
        value = self.find(self.configs, "endpoint-config", EndpointConfigName)
        return dict({k: v for k, v in value.items() if k not in ("arn", "Tags", "LastModifiedTime")},
                    EndpointConfigName=EndpointConfigName, EndpointConfigArn=value["arn"])

    def DeleteEndpointConfig(self, EndpointConfigName):
        self.find(self.configs, "endpoint-config", EndpointConfigName)
        if any(EndpointConfigName in (endpoint["config"], endpoint.get("next"))
               for endpoint in self.endpoints.values()):
            self.violations.append(f"DeleteEndpointConfig {EndpointConfigName}, which an endpoint has")
        del self.configs[EndpointConfigName]

    def CreateEndpoint(self, EndpointName, EndpointConfigName, **value):
        self.find(self.configs, "endpoint-config", EndpointConfigName)
        arn = self.create(self.endpoints, "endpoint", EndpointName, value)
        self.endpoints[EndpointName].update(config=EndpointConfigName, status="Creating",
                                            script=list(self.create_script))
        return {"EndpointArn": arn}

    def UpdateEndpoint(self, EndpointName, EndpointConfigName):
        endpoint = self.find(self.endpoints, "endpoint", EndpointName)
        self.find(self.configs, "endpoint-config", EndpointConfigName)
        if endpoint["status"] not in ("InService", "Failed"):
            raise Problem("ValidationException", f'Cannot update in-progress endpoint "{endpoint["arn"]}".')
        endpoint.update(status="Updating", next=EndpointConfigName, script=list(self.update_script))
        return {"EndpointArn": endpoint["arn"]}

    def advance(self, name):
        endpoint = self.endpoints[name]
        if not endpoint["script"]:
            return
        endpoint["status"] = endpoint["script"].pop(0)
        if endpoint["status"] == "gone":
            del self.endpoints[name]
        elif endpoint["status"] == "RollingBack":
            endpoint.update(next=None, reason=self.failure)
        elif endpoint["status"] == "InService" and endpoint.get("next"):
            endpoint.update(config=endpoint.pop("next"))
        elif endpoint["status"] == "Failed":
            endpoint["reason"] = self.failure

    def DescribeEndpoint(self, EndpointName):
        self.find(self.endpoints, "endpoint", EndpointName)
        self.advance(EndpointName)
        value = self.find(self.endpoints, "endpoint", EndpointName)
        config = self.configs.get(value["config"], {"ProductionVariants": []})
        reply = {"EndpointName": EndpointName, "EndpointArn": value["arn"], "EndpointConfigName": value["config"],
                 "EndpointStatus": value["status"], "CreationTime": value["CreationTime"],
                 "LastModifiedTime": value["LastModifiedTime"], "ProductionVariants": [
                     {"VariantName": variant["VariantName"],
                      "CurrentInstanceCount": variant.get("InitialInstanceCount", 0),
                      "DesiredInstanceCount": variant.get("InitialInstanceCount", 0)}
                     for variant in config["ProductionVariants"]]}
        if value.get("reason"):
            reply["FailureReason"] = value["reason"]
        return reply

    def DeleteEndpoint(self, EndpointName):
        endpoint = self.find(self.endpoints, "endpoint", EndpointName)
        if endpoint["status"] in ("Creating", "Updating", "RollingBack"):
            raise Problem("ValidationException", f'Cannot delete in-progress endpoint "{endpoint["arn"]}".')
        endpoint.update(status="Deleting", script=["Deleting", "gone"])

    def ListEndpoints(self, SortBy, SortOrder, MaxResults, NameContains="", NextToken="0"):
        page = 2  # small, so that clients must ask again
        names = sorted(name for name in self.endpoints if NameContains in name)
        first = int(NextToken)
        reply = {"Endpoints": [{"EndpointName": name, "EndpointArn": self.endpoints[name]["arn"],
                                "EndpointStatus": self.endpoints[name]["status"],
                                "CreationTime": self.endpoints[name]["CreationTime"],
                                "LastModifiedTime": self.endpoints[name]["LastModifiedTime"]}
                               for name in names[first:first + page]]}
        if first + page < len(names):
            reply["NextToken"] = str(first + page)
        return reply

    def ListModels(self, MaxResults, NextToken="0"):
        page = 1  # small, so that clients must ask again
        names = sorted(self.models)
        first = int(NextToken)
        reply = {"Models": [{"ModelName": name, "ModelArn": self.models[name]["arn"], "CreationTime": 1600000000}
                            for name in names[first:first + page]]}
        if first + page < len(names):
            reply["NextToken"] = str(first + page)
        return reply

    def ListTags(self, ResourceArn, MaxResults):
        for table in (self.models, self.configs, self.endpoints):
            for value in table.values():
                if value["arn"] == ResourceArn:
                    return {"Tags": value.get("Tags", [])}
        raise Problem("ValidationException", f"Could not find {ResourceArn}")

    # The runtime.

    def runtime(self, path, headers, body):
        _, _, name, operation = path.split("/")
        self.log.append(("runtime", operation, {"endpoint": name, "body": body, "headers": headers}))
        if name not in self.endpoints:
            raise Problem("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
        if operation == "invocations":
            status, reply_headers, text = self.answer(name, headers, body)
            if status == 200:
                reply_headers = dict(reply_headers, **{"x-Amzn-Invoked-Production-Variant": "plume"})
            return status, reply_headers, text
        bucket, _, key = headers["X-Amzn-SageMaker-InputLocation"].removeprefix("s3://").partition("/")
        data = self.objects[f"{bucket}/{key}"][0]
        self.objects[f"{bucket}/out/1.out"] = (b"answer to " + data, {})
        return 202, {"X-Amzn-SageMaker-OutputLocation": f"s3://{bucket}/out/1.out",
                     "Content-Type": "application/json"}, b'{"InferenceId": "1"}'

    # Application Auto Scaling.

    def RegisterScalableTarget(self, ResourceId, MinCapacity, MaxCapacity, **_):
        self.scaling[ResourceId] = (MinCapacity, MaxCapacity)

    def PutScalingPolicy(self, ResourceId, PolicyName, TargetTrackingScalingPolicyConfiguration, **_):
        self.policies[ResourceId] = TargetTrackingScalingPolicyConfiguration["TargetValue"]
        return {"PolicyARN": "arn"}

    def DeregisterScalableTarget(self, ResourceId, **_):
        if ResourceId not in self.scaling:
            raise Problem("ObjectNotFoundException", "no such target")
        del self.scaling[ResourceId]

    # CloudWatch Logs.

    def DescribeLogStreams(self, logGroupName, **_):
        if logGroupName not in self.lines:
            raise Problem("ResourceNotFoundException", "The specified log group does not exist.")
        return {"logStreams": [{"logStreamName": "plume/i-1"}]}

    def events(self, group):
        return [{"timestamp": 1600000000000 + i, "message": text, "logStreamName": "plume/i-1", "eventId": str(i)}
                for i, text in enumerate(self.lines[group])]

    def GetLogEvents(self, logGroupName, limit, **_):
        return {"events": self.events(logGroupName)[-limit:]}

    def FilterLogEvents(self, logGroupName, startTime, **_):
        return {"events": [event for event in self.events(logGroupName) if event["timestamp"] >= startTime]}

    # ECR.

    def DescribeImages(self, repositoryName, imageIds, **_):
        if repositoryName != "plume-infer":
            raise Problem("RepositoryNotFoundException", "no such repository")
        return {"imageDetails": [{"imageDigest": "sha256:" + "ab" * 32}]}

    # STS and IAM.

    def query(self, service, form):
        action = form["Action"]
        self.log.append((service, action, form))
        if action == "GetCallerIdentity":
            inner = f"<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/tester</Arn>"
        else:
            trusted = "sagemaker.amazonaws.com" if form["RoleName"] == "sagemaker" else "ec2.amazonaws.com"
            policy = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": trusted},
                                                "Action": "sts:AssumeRole"}]})
            inner = ("<Role><Arn>arn</Arn><AssumeRolePolicyDocument>" + urllib.parse.quote(policy) +
                     "</AssumeRolePolicyDocument></Role>")
        text = f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"
        return 200, {"Content-Type": "text/xml"}, text.encode()

    # S3.

    def s3(self, method, path, query, headers, body):
        name = urllib.parse.unquote(path.lstrip("/"))
        self.log.append(("s3", method, {"name": name, "headers": headers}))
        if method == "PUT":
            self.objects[name] = (body, headers)
            return 200, {"ETag": '"1"'}, b""
        if method == "DELETE":
            self.objects.pop(name, None)
            return 204, {}, b""
        if name not in self.objects:
            return 404, {"Content-Type": "application/xml"}, b"<Error><Code>NoSuchKey</Code><Message></Message></Error>"
        data, stored = self.objects[name]
        reply = {"ETag": '"1"', "Content-Length": str(len(data))}
        reply.update({key: value for key, value in stored.items() if key.lower().startswith("x-amz-meta-")})
        if headers.get("Range"):
            first, last = (int(part) for part in headers["Range"].removeprefix("bytes=").split("-"))
            last = min(last, len(data) - 1)
            part = data[first:last + 1]
            return 206, dict(reply, **{"Content-Length": str(len(part)),
                                       "Content-Range": f"bytes {first}-{last}/{len(data)}"}), part
        return 200, reply, data
