"""plume cloud deploy and teardown against the scripted fake: what is made, in which order, and what a failure leaves.
Usage: deploy_test.py PLUME MODEL_FOLDER [unittest's arguments]"""
import json
import os
import signal
import subprocess
import time

import fake_test
import harness
from fake_test import IMAGE, MODEL, QUICK, ROLE, FakeTest


class Deploy(FakeTest):
    def test_makes_model_configuration_endpoint(self):
        out = self.deploy("--env", "A=B", "--owner", "me", "--tag", "team=fire")
        self.assertEqual(self.aws.operations("Create"), ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"])
        self.assertEqual(self.aws.endpoints["smoke"]["status"], "InService")
        self.assertIn("endpoint smoke created: InService", out)
        last = out.splitlines()[-1]
        self.assertIn("0.23 $/h (an estimate by the prices of us-east-1, October 2025)", last)
        command = last.split("to end that: ")[1]
        self.assertEqual(command, "plume cloud teardown smoke --all --yes --region us-east-1")
        (model,) = self.aws.inputs("CreateModel")
        self.assertEqual(model["PrimaryContainer"], {"Image": IMAGE, "ModelDataUrl": MODEL, "Environment": {"A": "B"}})
        self.assertRegex(model["ModelName"], "^smoke-[0-9a-f]{8}$")
        tags = {tag["Key"]: tag["Value"] for tag in self.aws.inputs("CreateEndpoint")[0]["Tags"]}
        self.assertEqual((tags["plume-owner"], tags["team"]), ("me", "fire"))
        self.assertRegex(tags["plume-run"], r"^\d{8}T\d{6}Z-[0-9a-f]{8}$")
        # The command that was printed ends it.
        self.plume(*command.split()[1:], *QUICK)
        self.nothing_is_left()

    def test_notes_each_resource_before_it_is_made(self):
        journal = self.folder / "state/plume/cloud/us-east-1/smoke.jsonl"
        seen = {}
        for operation in ("CreateModel", "CreateEndpointConfig", "CreateEndpoint"):
            def noting(real=getattr(self.aws, operation), operation=operation, **value):
                seen[operation] = [json.loads(line) for line in journal.read_text().splitlines()][-1]
                return real(**value)
            setattr(self.aws, operation, noting)
        self.deploy()
        self.assertEqual([(line["event"], line["kind"]) for line in seen.values()],
                         [("make", "model"), ("make", "endpoint configuration"), ("make", "endpoint")])
        self.assertEqual(journal.stat().st_mode & 0o077, 0)

    def test_dry_run_sends_nothing(self):
        out = self.deploy("--dry-run", yes=False, env={"AWS_SECRET_ACCESS_KEY": ""})
        self.assertEqual(self.aws.log, [])
        self.assertIn('"ModelDataUrl": "' + MODEL, out)
        self.assertIn("It would cost 0.23 $/h", out)
        lines = [json.loads(line) for line in self.deploy("--dry-run", "--json", yes=False).splitlines()]
        self.assertEqual([line.get("would_call") for line in lines],
                         ["CreateModel", "CreateEndpointConfig", "CreateEndpoint", None])
        self.assertEqual(lines[-1]["cost_per_hour"], 0.23)
        self.teardown("--dry-run")
        self.plume("cloud", "push", self.archive(), "s3://bucket/models/", "--dry-run")
        self.assertEqual(self.aws.log, [])

    def archive(self):
        path = self.folder / "model.tar.gz"
        path.write_bytes(os.urandom(100_000))
        return path

    def test_costs_are_agreed_to_first(self):
        self.deploy(yes=False, code=2)
        self.assertIn("This would cost 0.23 $/h", self.errors)
        self.assertEqual(self.aws.log, [])

    def test_again_is_nothing_to_do(self):
        self.deploy()
        before = len(self.aws.operations("Create"))
        out = self.deploy("--tag", "other=tag")
        self.assertIn("endpoint smoke unchanged: InService", out)
        self.assertEqual(len(self.aws.operations("Create")), before)

    def test_other_settings_are_a_conflict_without_update(self):
        self.deploy()
        self.deploy("--count", "2", code=5)
        self.assertIn("--update", self.errors)
        self.assertEqual(len(self.aws.configs), 1)

    def test_update_keeps_the_old_until_the_new_is_in_service(self):
        self.deploy()
        old = self.aws.endpoints["smoke"]["config"]
        out = self.deploy("--count", "2", "--update")
        self.assertIn("endpoint smoke updated: InService", out)
        self.assertEqual(self.aws.operations("Update", "Delete"), ["UpdateEndpoint", "DeleteEndpointConfig"])
        self.assertEqual(self.aws.inputs("DeleteEndpointConfig"), [{"EndpointConfigName": old}])
        self.assertEqual(len(self.aws.models), 1)  # it is the same
        (config,) = self.aws.configs.values()
        self.assertEqual(config["ProductionVariants"][0]["InitialInstanceCount"], 2)

    def test_update_that_is_rolled_back_removes_what_it_made(self):
        self.deploy()
        old = dict(self.aws.endpoints["smoke"])
        self.aws.update_script = ["Updating", "RollingBack", "InService"]
        self.deploy("--env", "A=C", "--update", code=7)
        self.assertIn("ping health check", self.errors)
        self.assertEqual(self.aws.endpoints["smoke"]["config"], old["config"])
        self.assertEqual((len(self.aws.models), list(self.aws.configs)), (1, [old["config"]]))

    def test_failure_shows_reason_and_log_and_rolls_back(self):
        self.aws.create_script = ["Creating", "Creating", "Failed"]
        self.aws.lines["/aws/sagemaker/Endpoints/smoke"] = [f"line {i}" for i in range(30)]
        self.deploy(code=7)
        self.assertIn("did not pass the ping health check", self.errors)
        self.assertEqual([line for line in self.errors.splitlines() if line.startswith("smoke |")],
                         [f"smoke | line {i}" for i in range(10, 30)])
        self.assertEqual(self.aws.operations("Delete"), ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"])
        self.nothing_is_left()

    def test_rollback_leaves_what_was_there(self):
        self.deploy()
        self.teardown()  # the endpoint alone
        self.assertEqual((len(self.aws.models), len(self.aws.configs)), (1, 1))
        self.aws.create_script = ["Failed"]
        self.deploy(code=7)
        self.assertEqual((len(self.aws.models), len(self.aws.configs), self.aws.endpoints), (1, 1, {}))

    def test_keep_failed(self):
        self.aws.create_script = ["Failed"]
        self.deploy("--keep-failed", code=7)
        self.assertEqual(self.aws.endpoints["smoke"]["status"], "Failed")
        self.deploy(code=5)
        self.assertIn("tear it down", self.errors)

    def test_a_refusal_midway_rolls_back(self):
        self.aws.forbidden = {"CreateEndpoint"}
        self.deploy(code=3)
        self.assertEqual(self.aws.operations("Delete"), ["DeleteEndpointConfig", "DeleteModel"])
        self.nothing_is_left()

    def test_throttling_is_waited_out(self):
        self.aws.throttle = 2
        self.deploy()
        self.assertEqual(self.aws.endpoints["smoke"]["status"], "InService")

    def test_throttling_without_end(self):
        self.aws.throttle = 1000
        self.deploy(code=6, env={"AWS_MAX_ATTEMPTS": "2"})
        self.assertIn("ThrottlingException", self.errors)

    def test_a_lost_reply_makes_nothing_twice(self):
        for operation in ("CreateModel", "CreateEndpointConfig", "CreateEndpoint"):
            self.aws.lost[operation] = 1
        self.deploy()
        self.assertEqual((len(self.aws.models), len(self.aws.configs), len(self.aws.endpoints)), (1, 1, 1))
        self.aws.create_script = ["Failed"]
        self.aws.lost["CreateEndpoint"] = 1
        self.deploy(name="other", code=7)
        self.assertEqual(list(self.aws.endpoints), ["smoke"])  # what was lost is taken back all the same

    def test_a_reply_that_never_comes_is_taken_back(self):
        self.aws.lost["CreateEndpoint"] = 10
        self.aws.create_script = ["InService"]
        self.deploy(code=6, env={"AWS_MAX_ATTEMPTS": "1"})
        self.nothing_is_left()

    def test_somebody_elses_endpoint_stays(self):
        real = self.aws.CreateEndpoint
        def stolen(EndpointName, EndpointConfigName, **value):
            real(EndpointName=EndpointName, EndpointConfigName=EndpointConfigName, Tags=[])
            return real(EndpointName=EndpointName, EndpointConfigName=EndpointConfigName, **value)
        self.aws.CreateEndpoint = stolen
        self.deploy(code=5)
        self.assertEqual(list(self.aws.endpoints), ["smoke"])

    def test_timeout(self):
        self.aws.create_script = ["Creating"] * 200
        self.deploy("--keep-failed", code=8, timing=("--poll", "0.01", "--timeout", "1"))
        self.assertIn("is still Creating", self.errors)

    def test_ctrl_c_rolls_back_an_endpoint_that_is_being_made(self):
        self.aws.create_script = ["Creating"] * 30 + ["InService"]
        self.interrupted(lambda: "smoke" in self.aws.endpoints)
        self.nothing_is_left()

    def interrupted(self, when, *options, sent=signal.SIGINT):
        process = subprocess.Popen(
            self.command("cloud", "deploy", "smoke", "--model", MODEL, "--image", IMAGE, "--role", ROLE, "--yes",
                         "--poll", "0.05", "--timeout", "20", *options),
            env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(400):
            if when():
                break
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(sent)
        out, errors = process.communicate(timeout=30)
        harness.without_secrets(out + errors, "an interrupted run")
        return process.returncode

    def test_after_a_kill_teardown_knows_what_was_made(self):
        real = self.aws.CreateEndpoint
        processes = []
        def killing(**value):
            processes[0].kill()
            return real(**value)
        self.aws.CreateEndpoint = killing
        processes.append(subprocess.Popen(
            self.command("cloud", "deploy", "smoke", "--model", MODEL, "--image", IMAGE, "--role", ROLE, "--yes",
                         *QUICK),
            env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        processes[0].communicate(timeout=30)
        del self.aws.endpoints["smoke"]  # as if it had not come about: only the journal knows of the others
        self.teardown("--all")
        self.nothing_is_left()

    def test_max_hours(self):
        out = self.deploy("--max-hours", "0.0003")
        self.assertIn("endpoint smoke removed", out)
        tags = {tag["Key"] for tag in self.aws.inputs("CreateEndpoint")[0]["Tags"]}
        self.assertIn("plume-expires", tags)
        self.assertIn("bucket/models/sha256-00/model.tar.gz", self.aws.objects)  # which push has put there
        self.nothing_is_left()

    def test_ctrl_c_ends_max_hours(self):
        code = self.interrupted(
            lambda: self.aws.endpoints.get("smoke", {}).get("status") == "InService", "--max-hours", "1")
        self.assertEqual(code, 0)
        self.nothing_is_left()

    def test_a_terminal_that_goes_away_ends_max_hours(self):
        self.interrupted(lambda: self.aws.endpoints.get("smoke", {}).get("status") == "InService", "--max-hours", "1",
                         sent=signal.SIGHUP)
        self.nothing_is_left()

    def test_is_carried_out_though_nobody_listens(self):
        for listener in ("/dev/full", None):  # None: a pipe whose other end is closed
            read, write = os.pipe()
            os.close(read)
            output = open(listener, "w") if listener else open(write, "w")
            with output:
                code = subprocess.run(
                    self.command("cloud", "deploy", "smoke", "--model", MODEL, "--image", IMAGE, "--role", ROLE,
                                 "--yes", *QUICK),
                    env=self.environment(), stdout=output, stderr=output, timeout=60, restore_signals=True).returncode
            self.assertEqual((code, self.aws.endpoints["smoke"]["status"]), (4, "InService"))
            self.teardown("--all")
            self.nothing_is_left()
            self.aws.objects["bucket/models/sha256-00/model.tar.gz"] = (b"archive", {})

    def test_serverless(self):
        out = self.deploy("--serverless", "2048,5")
        variant = self.aws.inputs("CreateEndpointConfig")[0]["ProductionVariants"][0]
        self.assertEqual(variant["ServerlessConfig"], {"MemorySizeInMB": 2048, "MaxConcurrency": 5})
        self.assertNotIn("InstanceType", variant)
        self.assertIn("nothing while it is not asked", out)
        self.deploy("--serverless", "2000,5", name="other", code=2)

    def test_uncompressed_model_and_machine(self):
        options = ["--instance", "ml.g5.xlarge", "--volume-gb", "0", "--startup-timeout", "900"]
        self.deploy(*options, model="s3://bucket/models/x/")
        source = self.aws.inputs("CreateModel")[0]["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
        self.assertEqual(source["CompressionType"], "None")
        variant = self.aws.inputs("CreateEndpointConfig")[0]["ProductionVariants"][0]
        self.assertEqual(variant["ContainerStartupHealthCheckTimeoutInSeconds"], 900)

    def test_autoscaling(self):
        self.deploy("--autoscale", "1,4,300")
        name = "endpoint/smoke/variant/plume"
        self.assertEqual((self.aws.scaling, self.aws.policies), ({name: (1, 4)}, {name: 300}))
        self.teardown("--all")
        self.assertEqual(self.aws.scaling, {})

    def test_without_the_autoscaling_that_was_asked_for_nothing_stays(self):
        self.aws.forbidden = {"RegisterScalableTarget"}
        self.deploy("--autoscale", "1,4,300", code=3)
        self.nothing_is_left()

    def test_model_must_be_there(self):
        self.deploy(model="s3://bucket/none/model.tar.gz", code=4)
        self.assertIn("plume cloud push", self.errors)
        self.assertEqual(self.aws.operations("Create"), [])

    def test_wrong_settings_are_named(self):
        for options, word in ((["--instance", "g5.xlarge"], "ml.FAMILY"),
                              (["--async", "bucket/x"], "s3://BUCKET/PREFIX"), (["--startup-timeout", "5"], "3600"),
                              (["--env", "A"], "NAME=VALUE"), (["--env", "A=\udcff"], "UTF-8"),
                              (["--max-hours", "1e300"], "--max-hours"), (["--volume-gb", "-1"], "--volume-gb"),
                              (["--autoscale", "3,1,5"], "--autoscale")):
            self.deploy(*options, "--dry-run", code=2)
            self.assertIn(word, self.errors)
            self.assertEqual(self.errors.count("\n"), 1)
        self.deploy(name="a_b", code=2)
        self.deploy(model="s3://bucket/", code=2)
        self.deploy(role="sagemaker", code=2)
        self.assertIn("role sagemaker", self.errors)

    def test_no_wait_and_wait(self):
        self.assertIn("Creating", self.deploy("--no-wait"))
        self.assertIn("InService", self.plume("cloud", "wait", "smoke", *QUICK))
        self.aws.create_script = ["Failed"]
        self.deploy("--no-wait", name="bad")
        self.plume("cloud", "wait", "bad", *QUICK, code=7)
        self.plume("cloud", "wait", "none", *QUICK, code=4)


class Teardown(FakeTest):
    def test_all_with_data(self):
        self.deploy()
        out = self.teardown("--all")
        self.nothing_is_left()
        self.assertEqual(self.aws.objects, {})
        self.assertEqual([line.split()[-1] for line in out.splitlines()], ["removed"] * 4)
        self.teardown("--all", code=4)

    def test_data_of_another_model_stays(self):
        self.deploy()
        self.deploy(name="other")
        objects = dict(self.aws.objects)
        out = self.teardown("--all")
        self.assertEqual([line.split()[-1] for line in out.splitlines()], ["removed"] * 3 + ["kept"])
        self.assertIn("is kept: it is model other-", self.errors)
        self.assertEqual(self.aws.objects, objects)
        self.deploy(name="third")
        real = self.aws.DescribeModel
        def describe(ModelName):
            if ModelName.startswith("third-"):
                raise fake_aws.Problem("AccessDeniedException", "not yours")
            return real(ModelName)
        self.aws.DescribeModel = describe  # who cannot look removes nothing
        self.teardown("--all", name="other", code=9)
        self.assertIn("model third-", self.errors)
        self.aws.DescribeModel = real
        self.aws.forbidden = {"ListModels"}
        self.teardown("--all", name="third", code=9)
        self.assertEqual(self.aws.objects, objects)

    def test_says_what_remains(self):
        self.deploy()
        self.aws.forbidden = {"DeleteEndpoint"}
        self.teardown(code=3)
        self.aws.forbidden = set()
        real = self.aws.DeleteModel
        self.aws.DeleteModel = lambda ModelName: None  # says yes, and does nothing
        out = self.teardown("--all", "--json", code=9)
        self.aws.DeleteModel = real
        self.assertEqual([(line["kind"], line["outcome"]) for line in map(json.loads, out.splitlines())],
                         [("endpoint", "removed"), ("endpoint configuration", "removed"), ("model", "remains")])
        self.teardown("--all")  # the journal still knows of it
        self.nothing_is_left()

    def test_one_that_is_being_made(self):
        self.aws.create_script = ["Creating"] * 5 + ["InService"]
        self.deploy("--no-wait")
        self.teardown("--all")
        self.nothing_is_left()

    def test_by_run(self):
        self.deploy()
        self.deploy(name="other")
        self.deploy(name="third")
        tags = {tag["Key"]: tag["Value"] for tag in self.aws.endpoints["other"]["Tags"]}
        self.plume("cloud", "teardown", "--run", tags["plume-run"], "--yes", *QUICK)
        self.assertEqual(sorted(self.aws.endpoints), ["smoke", "third"])
        self.plume("cloud", "teardown", "--run", "none", "--yes", code=4)
        self.plume("cloud", "teardown", code=2)

    def test_asks_first(self):
        self.deploy()
        self.plume("cloud", "teardown", "smoke", code=2)
        self.assertIn("This removes endpoint smoke", self.errors)
        self.assertEqual(self.aws.operations("Delete"), [])


if __name__ == "__main__":
    fake_test.main()
