"""Data as ServiceNow's Table API answers it: what the generated expressions read."""

WORDS = ["VPN", "down", "printer", "in", "Zürich", "re-boot", "naïve", "50%", "€", "<b>", "a.b", "it's", "10:00"]
PEOPLE = ["Abel Tuter", "Beth Anglin", "Müller, Jürg", "System Administrator", ""]
STATES = [("1", "New"), ("2", "In Progress"), ("6", "Resolved"), ("7", "Closed"), ("-5", "Pending")]


def sys_id(random):
    return f"{random.getrandbits(128):032x}"


def moment(random):
    day = f"{random.randint(2019, 2027)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    return f"{day} {random.randint(0, 23):02}:{random.randint(0, 59):02}:{random.randint(0, 59):02}"


def reference(random):
    """A field that refers to a record: empty, or an object in one of two forms."""
    if random.random() < 0.25:
        return ""
    link = f"https://dev.service-now.com/api/now/table/sys_user/{sys_id(random)}"
    if random.random() < 0.5:
        return {"link": link, "value": link[-32:]}
    return {"display_value": random.choice(PEOPLE), "link": link}


def record(random, at):
    value, display = random.choice(STATES)
    fields = {
        "sys_id": sys_id(random),
        "number": f"INC{10000 + at:07}",
        "short_description": " ".join(random.sample(WORDS, random.randint(0, 4))),
        "active": random.choice(["true", "false"]),
        "priority": str(random.randint(1, 5)),
        "state": {"display_value": display, "value": value},
        "assigned_to": reference(random),
        "opened_at": moment(random),
        "due": moment(random).replace(" ", "T") + random.choice(["", "Z", "+02:00"]),
        "reassignment_count": str(random.randint(0, 12)),
        "u_cost": random.choice(["12.50", "0", "-3.1", "", "1,234.5", "n/a"]),
        "score": random.choice([0, 1, 2.5, -7, 100, None]),
        "close_notes": None,
        "u-odd name": random.choice(["x", 1]),
    }
    for field in random.sample(sorted(fields), random.randint(0, 3)):
        del fields[field]
    return fields


def response(random):
    """The variables of one evaluation: a response, the error beside it, and plain values."""
    records = [record(random, at) for at in range(random.choice([0, 1, 2, 3, 3, 4, 5]))]
    headers = {"content-type": "application/json;charset=UTF-8", "X-Total-Count": str(len(records))}
    status = random.choice([200, 200, 201, 404, 429, 500])
    body = {"result": records}
    return {
        "status": status,
        "headers": headers,
        "body": body,
        "response": {"status": status, "headers": headers, "body": body},
        "record": record(random, 99),
        "error": {"code": str(status), "message": "No Record found", "type": "x.ConnectorException"},
        "job": {"retries": random.randint(0, 3)},
        "count": random.randint(0, 5),
        "ratio": random.choice([0.1, 1.5, -2.25, 1e3]),
        "name": random.choice(PEOPLE),
        "flag": random.choice([True, False]),
        "nothing": None,
        "numbers": [random.randint(-3, 9) for _ in range(random.randint(0, 5))],
        "texts": random.sample(WORDS, random.randint(0, 4)),
        "mixed": [1, "a", None, True, {"a": 1}, [2]],
        "$odd_1": 7,
        "größe": "XL",
    }
