"""Verifies Signature Version 4 as AWS does, by botocore, whose code has nothing to do with plume's."""
import datetime
import hashlib

import botocore.auth
import botocore.awsrequest
import botocore.credentials


class Refused(Exception):
    def __init__(self, code, message, status=403):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def parse_authorization(text):
    """AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=hex"""
    if not text.startswith("AWS4-HMAC-SHA256 "):
        raise Refused("MissingAuthenticationToken", "the request is not signed")
    fields = dict(part.strip().split("=", 1) for part in text[len("AWS4-HMAC-SHA256 "):].split(","))
    access_key, date, region, service, _ = fields["Credential"].rsplit("/", 4)
    return access_key, date, region, service, fields["SignedHeaders"].split(";"), fields["Signature"]


def verify(method, url, headers, body, keys, now=None):
    """The service and region that were signed for; keys: {id: (secret, token or None)}. Raises Refused."""
    lower = {name.lower(): value for name, value in headers.items()}
    access_key, date, region, service, signed, signature = parse_authorization(lower.get("authorization", ""))
    if access_key not in keys:
        raise Refused("InvalidClientTokenId", "no such key")
    secret, token = keys[access_key]
    if token is not None and lower.get("x-amz-security-token") != token:
        raise Refused("InvalidClientTokenId", "the token is not this key's")
    if any(secret in text for text in (url, *headers.values())) or secret.encode() in body:
        raise Refused("SecretDisclosed", "the secret itself was sent", 400)
    time = datetime.datetime.strptime(lower["x-amz-date"], "%Y%m%dT%H%M%SZ")
    now = now or datetime.datetime.utcnow()
    if abs(now - time) > datetime.timedelta(minutes=15) or not lower["x-amz-date"].startswith(date):
        raise Refused("RequestTimeTooSkewed", "the clocks differ")
    must = {"host"} | {name for name in lower if name.startswith("x-amz-")}
    if not must <= set(signed):
        raise Refused("SignatureDoesNotMatch", f"not signed: {sorted(must - set(signed))}")
    payload = lower.get("x-amz-content-sha256")
    if service == "s3" and payload is None:
        raise Refused("MissingSecurityHeader", "x-amz-content-sha256 is not there", 400)
    if payload not in (None, "UNSIGNED-PAYLOAD") and payload != hashlib.sha256(body).hexdigest():
        raise Refused("XAmzContentSHA256Mismatch", "the body is another", 400)
    request = botocore.awsrequest.AWSRequest(method, url, {name: lower[name] for name in signed}, data=body)
    request.context["timestamp"] = lower["x-amz-date"]
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    auth = kind(botocore.credentials.Credentials(access_key, secret, token), service, region)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    if expected != signature:
        raise Refused("SignatureDoesNotMatch", "the signature is not that of this request")
    return service, region
