#!/usr/bin/python3 -IS
"""Stands in for crictl, which no Debian suite has: its commands that cgroup-medic and its tests use.

It speaks to the runtime as crictl does, gRPC over the runtime's socket, CRI version runtime.v1, and prints what crictl
prints: the answer as JSON, with a name for each enum and a string for each 64-bit number. Only as much of gRPC,
protocol buffers and the CRI is here as that takes: on an emulated processor, the general libraries take longer to load
than the probes wait.
"""

import json
import socket
import struct
import sys

SOCKET = "/run/containerd/containerd.sock"

# Message: "NUMBER NAME TYPE" a field. Types: str, int (64 bits), i32, bool, map (of strings), an enum, a message; "*" for
# a list.
MESSAGES = """
VersionRequest: 1 version str
VersionResponse: 1 version str, 2 runtimeName str, 3 runtimeVersion str, 4 runtimeApiVersion str
StatusRequest: 1 verbose bool
StatusResponse: 1 status RuntimeStatus, 2 info map
RuntimeStatus: 1 conditions *RuntimeCondition
RuntimeCondition: 1 type str, 2 status bool, 3 reason str, 4 message str
ListContainersRequest: 1 filter ContainerFilter
ContainerFilter: 1 id str, 3 podSandboxId str
ListContainersResponse: 1 containers *Container
Container: 1 id str, 2 podSandboxId str, 3 metadata ContainerMetadata, 4 image ImageSpec, 5 imageRef str, 6 state ContainerState, 7 createdAt int, 8 labels map, 9 annotations map
ContainerMetadata: 1 name str, 2 attempt i32
ImageSpec: 1 image str, 2 annotations map
ContainerStatusRequest: 1 containerId str, 2 verbose bool
ContainerStatusResponse: 1 status ContainerStatus, 2 info map
ContainerStatus: 1 id str, 2 metadata ContainerMetadata, 3 state ContainerState, 4 createdAt int, 5 startedAt int, 6 finishedAt int, 7 exitCode i32, 8 image ImageSpec, 9 imageRef str, 10 reason str, 11 message str, 12 labels map, 13 annotations map, 15 logPath str
ListPodSandboxRequest: 1 filter PodSandboxFilter
PodSandboxFilter: 1 id str
ListPodSandboxResponse: 1 items *PodSandbox
PodSandbox: 1 id str, 2 metadata PodSandboxMetadata, 3 state PodSandboxState, 4 createdAt int, 5 labels map, 6 annotations map, 7 runtimeHandler str
PodSandboxMetadata: 1 name str, 2 uid str, 3 namespace str, 4 attempt i32
RunPodSandboxRequest: 1 config PodSandboxConfig
RunPodSandboxResponse: 1 podSandboxId str
PodSandboxConfig: 1 metadata PodSandboxMetadata, 2 hostname str, 3 log_directory str, 6 labels map, 7 annotations map, 8 linux LinuxPodSandboxConfig
LinuxPodSandboxConfig: 1 cgroup_parent str, 2 security_context SandboxSecurity
SandboxSecurity: 1 namespace_options NamespaceOption
NamespaceOption: 1 network i32, 2 pid i32, 3 ipc i32
StopPodSandboxRequest: 1 podSandboxId str
RemovePodSandboxRequest: 1 podSandboxId str
CreateContainerRequest: 1 podSandboxId str, 2 config ContainerConfig, 3 sandboxConfig PodSandboxConfig
CreateContainerResponse: 1 containerId str
ContainerConfig: 1 metadata ContainerMetadata, 2 image ImageSpec, 3 command *str, 4 args *str, 6 envs *KeyValue, 7 mounts *Mount, 9 labels map, 10 annotations map, 11 log_path str, 15 linux LinuxContainerConfig
KeyValue: 1 key str, 2 value str
Mount: 1 container_path str, 2 host_path str, 3 readonly bool
LinuxContainerConfig: 1 resources LinuxContainerResources, 2 security_context ContainerSecurity
LinuxContainerResources: 1 cpu_period int, 2 cpu_quota int, 3 cpu_shares int, 4 memory_limit_in_bytes int
ContainerSecurity: 3 namespace_options NamespaceOption
StartContainerRequest: 1 containerId str
StopContainerRequest: 1 containerId str, 2 timeout int
RemoveContainerRequest: 1 containerId str
Nothing:
"""
ENUMS = {
    "ContainerState": ["CONTAINER_CREATED", "CONTAINER_RUNNING", "CONTAINER_EXITED", "CONTAINER_UNKNOWN"],
    "PodSandboxState": ["SANDBOX_READY", "SANDBOX_NOTREADY"],
}
ENTRY = {1: ("key", "str"), 2: ("value", "str")}


def read_schema():
    schema = {"map": ENTRY}
    for line in MESSAGES.strip().splitlines():
        message, _, fields = line.partition(":")
        schema[message] = {
            int(number): (name, kind) for number, name, kind in (field.split() for field in fields.split(",") if field.strip())
        }
    return schema


SCHEMA = read_schema()


class Failure(Exception):
    pass


# Protocol buffers


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def encode(message, value):
    out = b""
    fields = {name: (number, kind) for number, (name, kind) in SCHEMA[message].items()}
    for name, content in value.items():
        if name not in fields:
            raise Failure(f"this stand-in for crictl does not know {name} of {message}")
        number, kind = fields[name]
        if kind == "map":
            content = [{"key": key, "value": text} for key, text in content.items()]
        for item in content if kind == "map" or kind[0] == "*" else [content]:
            out += encode_field(number, kind.lstrip("*"), item)
    return out


def encode_field(number, kind, item):
    if kind in ("int", "i32", "bool"):
        return varint(number << 3) + varint(int(item))
    data = item.encode() if kind == "str" else encode(kind, item)
    return varint(number << 3 | 2) + varint(len(data)) + data


def read_varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7


def decode(message, data):
    """All its fields, those that have not been sent with their defaults; a message that has not been sent is left out."""
    value = {name: default(kind) for name, kind in SCHEMA[message].values() if default(kind) is not None}
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            item, at = read_varint(data, at)
        else:
            size, at = read_varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            item, at = data[at : at + size], at + size
        name, kind = SCHEMA[message].get(tag >> 3, (None, None))
        if name is None:
            continue
        item = decode_field(kind.lstrip("*"), item)
        if kind == "map":
            value[name][item["key"]] = item["value"]
        elif kind[0] == "*":
            value[name].append(item)
        else:
            value[name] = item
    # In the order of their numbers, as crictl has them.
    return {name: value[name] for _, (name, _) in sorted(SCHEMA[message].items()) if name in value}


def decode_field(kind, item):
    if kind == "str":
        return item.decode()
    if kind == "bool":
        return bool(item)
    if kind == "int":
        return str(item - (1 << 64) if item >> 63 else item)
    if kind == "i32":
        return item - (1 << 64) if item >> 63 else item
    if kind in ENUMS:
        return ENUMS[kind][item]
    return decode(kind, item)


def default(kind):
    if kind[0] == "*":
        return []
    if kind in ENUMS:
        return ENUMS[kind][0]
    return {"str": "", "int": "0", "i32": 0, "bool": False, "map": {}}.get(kind)


# gRPC: one call over HTTP/2, on the first stream of a connection of its own


DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
LARGE = (1 << 31) - 1 - 65535
# The lengths of the Huffman codes of the 256 bytes and of the end (RFC 7541, appendix B), one digit each to base 36. They
# define the codes: shorter ones are lower, and of one length those of the lower bytes are.
CODE_LENGTHS = (
    "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca"
    "d67777777777777777777777878djde6f56565666577666567655677777fbeds"
    "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn"
    "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq"
    "u"
)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def call(options, method, request, value, answer="Nothing"):
    body = encode(request, value)
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", f"/runtime.v1.RuntimeService/{method}"),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("grpc-timeout", f"{int(options['timeout'] * 1000)}m"),
    ]
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(options["timeout"])
    try:
        connection.connect(options["socket"])
        connection.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, (1 << 31) - 1))
            + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGE))
            + frame(HEADERS, END_HEADERS, 1, b"".join(b"\0" + literal(name) + literal(value) for name, value in headers))
            + frame(DATA, END_STREAM, 1, struct.pack(">BI", 0, len(body)) + body)
        )
        trailers, data = receive(connection)
    except OSError as error:
        raise Failure(f"{options['socket']}: {error}") from error
    finally:
        connection.close()
    if trailers.get("grpc-status") != "0":
        raise Failure(f"rpc error: code = {trailers.get('grpc-status')} desc = {trailers.get('grpc-message')}")
    return decode(answer, data[5:])


def literal(text):
    # None here is longer than the 126 bytes that fit into the first byte of a length.
    return bytes([len(text)]) + text.encode()


def read_integer(block, at, bits):
    mask = (1 << bits) - 1
    number = block[at] & mask
    if number < mask:
        return number, at + 1
    more, at = read_varint(block, at + 1)
    return number + more, at


def read_text(block, at):
    packed = block[at] & 128
    size, at = read_integer(block, at, 7)
    data = block[at : at + size]
    return (unpack(data) if packed else data.decode(errors="replace")), at + size


def unpack(data):
    codes, code, length = {}, 0, 0
    for size, byte in sorted((int(digit, 36), byte) for byte, digit in enumerate(CODE_LENGTHS)):
        code <<= size - length
        codes[size, code] = byte
        code, length = code + 1, size
    out, code, length = bytearray(), 0, 0
    for bit in "".join(f"{byte:08b}" for byte in data):
        code, length = code << 1 | int(bit), length + 1
        if (length, code) in codes:
            out.append(codes[length, code])
            code = length = 0
    return out.decode(errors="replace")


def read_headers(block, table):
    """Those that the server named in words; what HTTP has numbers for is of no interest."""
    found, at = {}, 0
    while at < len(block):
        first = block[at]
        if first & 128:
            index, at = read_integer(block, at, 7)
            name, value = table[index - 62] if index > 61 else ("", "")
        elif first & 224 == 32:
            _, at = read_integer(block, at, 5)
            continue
        else:
            index, at = read_integer(block, at, 6 if first & 64 else 4)
            if index == 0:
                name, at = read_text(block, at)
            else:
                name = table[index - 62][0] if index > 61 else ""
            value, at = read_text(block, at)
            if first & 64:
                table.insert(0, (name, value))
        found[name] = value
    return found


def receive(connection):
    stream = connection.makefile("rb")
    table, trailers, block, data = [], {}, b"", b""
    while True:
        head = stream.read(9)
        if len(head) < 9:
            raise Failure("the runtime closed the connection")
        size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        payload = stream.read(size)
        if kind == DATA:
            data += payload
        elif kind in (HEADERS, CONTINUATION):
            block += payload
            if flags & END_HEADERS:
                trailers.update(read_headers(block, table))
                block = b""
        elif kind == SETTINGS and not flags & ACK:
            connection.sendall(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            connection.sendall(frame(PING, ACK, 0, payload))
        elif kind in (RESET, GOAWAY):
            raise Failure(f"the runtime refused the call ({payload!r})")
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            return trailers, data


# The commands


def show(value):
    # Two spaces: in about every other build, the library that crictl prints with has them.
    print(json.dumps(value, indent=2, ensure_ascii=False, separators=(",", ":  ")))


def newest_first(items):
    return sorted(items, key=lambda item: -int(item["createdAt"]))


def version(options, _):
    says = call(options, "Version", "VersionRequest", {"version": "v1"}, "VersionResponse")
    for name, value in says.items():
        print(f"{name[0].upper()}{name[1:]}:  {value}")


def info(options, _):
    says = call(options, "Status", "StatusRequest", {"verbose": True}, "StatusResponse")
    show({"status": says.get("status"), **parsed(says["info"])})


def parsed(texts):
    return {key: json.loads(text) if text.startswith("{") else text.strip('"') for key, text in sorted(texts.items())}


def ps(options, _):
    containers = call(options, "ListContainers", "ListContainersRequest", {}, "ListContainersResponse")["containers"]
    if not options["all"]:
        containers = [one for one in containers if one["state"] == "CONTAINER_RUNNING"]
    show_list(options, "containers", containers)


def pods(options, _):
    show_list(options, "items", call(options, "ListPodSandbox", "ListPodSandboxRequest", {}, "ListPodSandboxResponse")["items"])


def show_list(options, name, items):
    items = newest_first(items)
    if options["quiet"]:
        for item in items:
            print(item["id"])
    elif options["output"] == "json":
        show({name: items})
    else:
        raise Failure("this stand-in for crictl has no table: use -o json or -q")


def inspect(options, ids):
    for one in ids:
        request = {"containerId": one, "verbose": True}
        says = call(options, "ContainerStatus", "ContainerStatusRequest", request, "ContainerStatusResponse")
        for name in ("createdAt", "startedAt", "finishedAt"):
            says["status"][name] = date(int(says["status"][name]))
        show({**parsed(says["info"]), "status": says["status"]})


def date(nanoseconds):
    import datetime

    seconds, rest = divmod(nanoseconds, 10**9)
    text = datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%dT%H:%M:%S%z")
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    zone = "Z" if text[19:] == "+0000" else f"{text[19:22]}:{text[22:]}"
    return text[:19] + fraction + zone


def each(method, field):
    def run(options, ids):
        for one in ids:
            call(options, method, f"{method}Request", {field: one})
            print(one)

    return run


def stop(options, ids):
    for one in ids:
        call(options, "StopContainer", "StopContainerRequest", {"containerId": one, "timeout": int(options["grace"])})
        print(one)


def remove(options, ids):
    # crictl removes no container that runs, unless by force, which this stand-in does not know.
    for one in ids:
        status = call(options, "ContainerStatus", "ContainerStatusRequest", {"containerId": one}, "ContainerStatusResponse")["status"]
        if status["state"] == "CONTAINER_RUNNING":
            raise Failure(f"container {one!r} is running, please stop it first")
        call(options, "RemoveContainer", "RemoveContainerRequest", {"containerId": one})
        print(one)


def configuration(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def runp(options, paths):
    request = {"config": configuration(paths[0])}
    print(call(options, "RunPodSandbox", "RunPodSandboxRequest", request, "RunPodSandboxResponse")["podSandboxId"])


def create(options, words):
    pod, container, sandbox = words
    request = {"podSandboxId": pod, "config": configuration(container), "sandboxConfig": configuration(sandbox)}
    print(call(options, "CreateContainer", "CreateContainerRequest", request, "CreateContainerResponse")["containerId"])


COMMANDS = {
    "version": version,
    "info": info,
    "ps": ps,
    "pods": pods,
    "inspect": inspect,
    "rm": remove,
    "start": each("StartContainer", "containerId"),
    "stop": stop,
    "runp": runp,
    "stopp": each("StopPodSandbox", "podSandboxId"),
    "rmp": each("RemovePodSandbox", "podSandboxId"),
    "create": create,
}


def main(words):
    options = {"socket": SOCKET, "timeout": 2.0, "grace": 0, "all": False, "quiet": False, "output": "table"}
    names = []
    while words:
        word = words.pop(0)
        flag, _, value = word.partition("=")
        if flag in ("-a", "--all"):
            options["all"] = True
        elif flag in ("-q", "--quiet"):
            options["quiet"] = True
        elif flag.startswith("-") and flag != "-":
            value = value or words.pop(0)
            if flag in ("-o", "--output"):
                options["output"] = value
            elif flag in ("-r", "--runtime-endpoint"):
                options["socket"] = value.removeprefix("unix://")
            elif flag in ("-t", "--timeout"):
                # Behind the command it is that of the container: how long it may take to stop.
                options["grace" if names else "timeout"] = float(value.rstrip("s"))
            else:
                raise Failure(f"this stand-in for crictl does not know {flag}")
        else:
            names.append(word)
    command = COMMANDS.get(names[0] if names else "")
    if command is None:
        raise Failure(f"this stand-in for crictl knows {', '.join(COMMANDS)}, not {names[:1]}")
    if len(names) == 1 and command not in (version, info, ps, pods):
        raise Failure(f"{names[0]} needs to be told what")
    command(options, names[1:])


try:
    main(sys.argv[1:])
except Failure as failure:
    sys.exit(f"FATA[0000] {failure}")
