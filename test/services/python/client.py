"""A client of the parsing service that knows nothing but its OpenAPI document, in Python's standard library alone.

python3 client.py http://127.0.0.1:1880/m2fp/openapi.json picture.png prints what came, as JSON.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


class Service:
    def __init__(self, address):
        with urllib.request.urlopen(address) as answer:
            self.document = json.load(answer)
        # Servers are relative to where the document lies.
        self.base = urllib.parse.urljoin(address, self.document["servers"][0]["url"]).rstrip("/")
        self.operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        }

    def call(self, name, path=None, query=None, image=None, fields=None, accept="*/*"):
        """Status, headers and body of the answer, which has to be one that the document has."""
        method, route, operation = self.operations[name]
        known = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert set(path or {}) | set(query or {}) <= known, (name, known)
        url = self.base + route.format(**(path or {}))
        if query:
            url += "?" + urllib.parse.urlencode(query)
        headers = {"Accept": accept}
        body = None
        if image is not None:
            schema = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
            assert set(fields or {}) <= set(schema["properties"]), name
            body, headers["Content-Type"] = form(image, fields or {})
        request = urllib.request.Request(url, data=body, headers=headers, method=method.upper())
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            status, kind, content = answer.status, answer.headers.get_content_type(), answer.read()
            described = operation["responses"][str(status)].get("content")
            assert not described or kind in described, (name, status, kind)
            return status, answer.headers, json.loads(content) if kind.endswith("json") else content


def form(image, fields):
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="picture.png"\r\n'
    parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", image, b"\r\n"]
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def finished(service, job):
    for _ in range(600):
        status, headers, told = service.call("job", path={"id": job})
        assert status == 200, told
        if told["ended"]:
            return told
        time.sleep(min(1, int(headers["Retry-After"])) / 5)
    raise TimeoutError(job)


def main(address, file):
    service = Service(address)
    with open(file, "rb") as stream:
        image = stream.read()
    told = {"ready": service.call("ready")[2]["ready"]}

    status, _, parsing = service.call("parse", image=image, fields={"masks": "rle"}, query={"format": "json"})
    told["parsed"] = [status, len(parsing["persons"]), all("counts" in part["mask"] for part in parsing["parts"])]
    status, _, picture = service.call("upload", image=image, accept="image/png")
    told["coloured"] = [status, picture[:4].hex()]

    status, headers, job = service.call("createJob", image=image, query={"masks": "polygon"})
    told["created"] = [status, headers["Location"] == "jobs/" + job["id"]]
    done = finished(service, job["id"])
    told["job"] = [done["state"], len(done["result"]["persons"])]
    status, _, result = service.call("job", path={"id": job["id"]}, query={"result": ""})
    told["result"] = [status, result == done["result"]]
    told["deleted"] = service.call("cancelJob", path={"id": job["id"]})[0]
    status, _, problem = service.call("job", path={"id": job["id"]})
    told["gone"] = [status, problem["code"]]

    status, _, job = service.call("createJob", image=image, query={"format": "webp", "view": "map"})
    finished(service, job["id"])
    status, headers, picture = service.call("job", path={"id": job["id"]}, query={"result": ""})
    told["picture"] = [status, headers.get_content_type(), picture[:4].decode()]

    status, _, problem = service.call("parse", image=image, fields={"persons": "9"})
    told["wrong"] = [status, problem["code"], '"persons"' in problem["detail"]]
    # urllib sends all of it before it reads an answer, and wants the connection closed.
    status, _, problem = service.call("parse", image=bytes(100_000_000))
    told["large"] = [status, problem["code"]]
    print(json.dumps(told))


main(*sys.argv[1:])
