# SPDX-License-Identifier: MIT
"""AIStore's own Python SDK against a cluster: what it offers that this cluster has.

usage: aistore_steps.py SCRATCH; AIS_ENDPOINT and AIS_AUTHN_TOKEN in the environment.
A line a step; ends at the first that fails.
"""
import os
import sys

from aistore import Client
from aistore.sdk.errors import AISError, ErrBckAlreadyExists, ErrBckNotFound, ErrObjNotFound
from aistore.sdk.list_object_flag import ListObjectFlag

CONTENT = os.urandom(3_000_000)
client = Client(os.environ["AIS_ENDPOINT"], token=os.environ["AIS_AUTHN_TOKEN"])
bucket, other = client.bucket("sdk-bucket"), client.bucket("sdk-other")
scratch = sys.argv[1]


def raises(error, call):
    try:
        call()
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def cluster():
    assert client.cluster().is_ready()
    smap = client.cluster().get_info()
    assert len(smap.tmap) == 3 and len(smap.pmap) == 1, smap
    assert client.cluster().get_uuid() == smap.uuid
    assert client.cluster().list_running_jobs() == [] and client.cluster().list_jobs_status() == []


def buckets():
    bucket.create()
    other.create()
    bucket.create(exist_ok=True)
    raises(ErrBckAlreadyExists, bucket.create)
    names = {b.name for b in client.cluster().list_buckets(provider="ais")}
    assert {"sdk-bucket", "sdk-other"} <= names, names
    assert "Ais-Bucket-Props" in bucket.head()
    raises(AISError, client.bucket("sdk-none").head)  # the SDK reads no header of a HEAD
    raises(ErrBckNotFound, client.bucket("sdk-none").list_objects)


def objects():
    obj = bucket.object("dir/obj +%ü")
    obj.get_writer().put_content(CONTENT)
    reader = obj.get_reader()
    assert reader.read_all() == CONTENT and b"".join(reader) == CONTENT and reader.raw().read() == CONTENT
    for text, part in (
        ("bytes=100-199", CONTENT[100:200]),
        ("bytes=2999990-", CONTENT[-10:]),
        ("bytes=-5", CONTENT[-5:]),
    ):
        assert obj.get_reader(byte_range=text).read_all() == part, text
    with obj.get_reader(num_workers=3).read_all() as buffer:
        assert buffer.tobytes() == CONTENT
    assert obj.props.size == len(CONTENT) and obj.head().size == len(CONTENT)
    with obj.get_reader().as_file() as file:
        assert file.read() == CONTENT


def metadata():
    obj = bucket.object("dir/obj +%ü")
    obj.get_writer().set_custom_props({"color": "blue"})
    assert obj.get_reader().head().custom_metadata == {"color": "blue"}
    obj.get_writer().set_custom_props({"taste": "sour"}, replace_existing=True)
    assert obj.get_reader().head().custom_metadata == {"taste": "sour"}


def files():
    os.makedirs(f"{scratch}/tree/sub")
    for i in range(3):
        with open(f"{scratch}/tree/sub/{i}", "w", encoding="utf-8") as file:
            file.write(str(i))
    bucket.put_files(f"{scratch}/tree", recursive=True, prepend="up/")
    assert bucket.object("up/sub/2").get_reader().read_all() == b"2"
    with bucket.object("written").get_writer().as_file() as file:
        file.write(b"1234")
        file.write(b"5678")
    assert bucket.object("written").get_reader().read_all() == b"12345678"


def appends():
    writer = bucket.object("appended").get_writer()
    handle = writer.append_content(b"abc")
    handle = writer.append_content(b"def", handle=handle)
    writer.append_content(b"", handle=handle, flush=True)
    assert bucket.object("appended").get_reader().read_all() == b"abcdef"


def multipart():
    upload = bucket.object("parts").multipart_upload().create()
    upload.add_part(1).put_content(b"a" * 1000)
    upload.add_part(2).put_content(b"b" * 10)
    upload.complete()
    assert bucket.object("parts").get_reader().read_all() == b"a" * 1000 + b"b" * 10


def listing():
    for i in range(25):
        bucket.object(f"list/{i:03d}").get_writer().put_content(b"x" * i)
    first = bucket.list_objects(prefix="list/", page_size=10)
    assert len(first.entries) == 10
    rest = bucket.list_objects(prefix="list/", page_size=10, continuation_token=first.continuation_token)
    assert rest.entries[0].name == "list/010", rest.entries[0].name
    assert len(bucket.list_all_objects(prefix="list/", page_size=7)) == 25
    assert len(list(bucket.list_all_objects_iter(prefix="list/"))) == 25
    props = "name,size,checksum,atime,version,custom,location,status,copies,cached"
    assert bucket.list_objects(prefix="list/02", props=props).entries[4].size == 24
    top = bucket.list_all_objects(flags=[ListObjectFlag.NO_RECURSION])
    assert [e.name for e in top] == ["appended", "dir/", "list/", "parts", "up/", "written"], top


def copies():
    bucket.object("list/024").copy(other.object("copied"))
    assert other.object("copied").get_reader().read_all() == b"x" * 24


def jobs():
    for i in range(12):
        bucket.object(f"job/{i}.bin").get_writer().put_content(b"y" * i)
    copied = client.bucket("sdk-copied")
    job = client.job(bucket.copy(copied, prefix_filter="job/1", prepend="p/"))
    job.wait(timeout=60)
    assert job.status().end_time != 0 and not job.status().err
    assert [e.name for e in copied.list_all_objects()] == ["p/job/1.bin", "p/job/10.bin", "p/job/11.bin"]
    client.job(copied.rename("sdk-renamed")).wait(timeout=60)
    renamed = client.bucket("sdk-renamed")
    assert renamed.object("p/job/11.bin").get_reader().read_all() == b"y" * 11
    raises(AISError, client.bucket("sdk-copied").head)
    group = renamed.objects(obj_names=["p/job/1.bin", "p/job/10.bin", "not-there"])
    (listed,) = group.copy(bucket, prepend="again/")
    client.job(listed).wait_for_idle(timeout=60)
    assert f"copy-listrange[{listed}]" in client.cluster().list_running_jobs()
    client.job(group.delete()).wait(timeout=60)
    assert [e.name for e in renamed.list_all_objects()] == ["p/job/11.bin"]
    client.job(client.job(job_kind="cleanup").start()).wait(timeout=60)
    raises(AISError, client.job(job_kind="no-such-kind").start)
    raises(AISError, client.job("no-such-job").status)
    renamed.delete()


def removals():
    bucket.object("written").delete()
    raises(ErrObjNotFound, bucket.object("written").get_reader().read_all)
    raises(ErrObjNotFound, bucket.object("written").delete)
    bucket.delete()
    other.delete()
    raises(ErrBckNotFound, bucket.delete)
    bucket.delete(missing_ok=True)


for step in (cluster, buckets, objects, metadata, files, appends, multipart, listing, copies, jobs, removals):
    print(f"  {step.__name__}", flush=True)
    step()
