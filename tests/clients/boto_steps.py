#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Steps of s3_tools.sh that need an SDK.  usage: boto_steps.py upload|verify|api|versions BUCKET [TREE]"""
import hashlib
import os
import sys
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client(
    "s3",
    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    region_name="us-east-1",
    # Without the version, boto3 presigns for this region with Signature V2, which is refused.
    config=Config(
        s3={"addressing_style": "path"}, signature_version="s3v4", retries={"max_attempts": 1}
    ),
)


def files_of(tree):
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(folder, name)
            yield path, "t/" + os.path.relpath(path, tree)


def status_of(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    return 200, ""


def upload(bucket, tree):
    s3.create_bucket(Bucket=bucket)
    parts = TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=6 << 20)
    for path, key in files_of(tree):
        s3.upload_file(path, bucket, key, Config=parts, ExtraArgs={"Metadata": {"origin": "boto3"}})


def verify(bucket, tree):
    want = {key: open(path, "rb").read() for path, key in files_of(tree)}
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="t/", PaginationConfig={"PageSize": 7}
    )
    sizes = {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", [])}
    sizes = {key: size for key, size in sizes.items() if not key.endswith("/")}
    assert sizes == {key: len(body) for key, body in want.items()}, (bucket, sizes)
    for key, body in want.items():
        got = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        assert hashlib.md5(got).digest() == hashlib.md5(body).digest(), (bucket, key)


def api(bucket):
    body = os.urandom(100_000)
    tag = '"' + hashlib.md5(body).hexdigest() + '"'
    put = s3.put_object(Bucket=bucket, Key="o", Body=body, Metadata={"a": "b"}, ContentType="x/y")
    assert put["ETag"] == tag
    head = s3.head_object(Bucket=bucket, Key="o")
    assert head["Metadata"] == {"a": "b"} and head["ContentType"] == "x/y" and head["ETag"] == tag
    for spec, want in [("bytes=0-9", body[:10]), ("bytes=99990-", body[99990:]), ("bytes=-5", body[-5:])]:
        assert s3.get_object(Bucket=bucket, Key="o", Range=spec)["Body"].read() == want, spec
    name = {"Bucket": bucket, "Key": "o"}
    assert status_of(s3.get_object, **name, Range="bytes=100000-")[0] == 416
    assert status_of(s3.get_object, **name, IfNoneMatch=tag)[0] == 304
    assert status_of(s3.get_object, **name, IfMatch='"x"')[0] == 412
    assert status_of(s3.get_object, Bucket=bucket, Key="none") == (404, "NoSuchKey")
    assert status_of(s3.list_objects_v2, Bucket="no-such-bucket") == (404, "NoSuchBucket")
    assert status_of(s3.delete_bucket, Bucket=bucket) == (409, "BucketNotEmpty")
    url = s3.generate_presigned_url("get_object", Params=name, ExpiresIn=60)
    assert urllib.request.urlopen(url).read() == body
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "o"})
    assert s3.get_object(Bucket=bucket, Key="copy")["Metadata"] == {"a": "b"}
    listed = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in listed["CommonPrefixes"]] == ["t/"]
    assert [o["Key"] for o in listed["Contents"]] == ["copy", "o"]
    keys = [{"Key": "copy"}, {"Key": "o"}, {"Key": "never there"}]
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    assert len(gone["Deleted"]) == 3 and not gone.get("Errors")
    assert status_of(s3.head_object, **name)[0] == 404


def versions(bucket, mount):
    """S3 and the mount write one name; each version is read, and a deleted one comes back."""
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    name = {"Bucket": bucket, "Key": "f"}
    path = os.path.join(mount, bucket, "f")
    first = s3.put_object(**name, Body=b"by S3")["VersionId"]
    with open(path, "w") as file:
        file.write("by the mount")
    assert s3.get_object(**name)["Body"].read() == b"by the mount"
    assert s3.get_object(**name, VersionId=first)["Body"].read() == b"by S3"
    os.unlink(path)
    assert status_of(s3.get_object, **name) == (404, "NoSuchKey")
    marker = s3.list_object_versions(Bucket=bucket)["DeleteMarkers"][0]
    assert marker["IsLatest"] and status_of(s3.delete_bucket, Bucket=bucket)[0] == 409
    s3.delete_object(**name, VersionId=marker["VersionId"])
    with open(path) as file:
        assert file.read() == "by the mount"
    s3.copy_object(**name, CopySource={**name, "VersionId": first})
    with open(path) as file:
        assert file.read() == "by S3"
    for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
        s3.delete_object(**name, VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=bucket)


if __name__ == "__main__":
    {"upload": upload, "verify": verify, "api": api, "versions": versions}[sys.argv[1]](*sys.argv[2:])
