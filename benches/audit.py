"""Makes 1,000 namespaces with 10,000 Secrets and 5,000 Ingresses and times `audit -A`; see audit.sh."""

import statistics
import sys

import many
from many import OURS

NAMESPACES, SECRETS, INGRESSES = 1_000, 10_000, 5_000


def namespace(at: int) -> str:
    return f"app-{at % NAMESPACES:03}"


def make_objects() -> None:
    """A routing secret a namespace, nine others, and five Ingresses: three served by the routing secret, one by a Secret
    that someone chose, one with an issuer's trigger, which the issuer is too slow or not there to obey."""
    wild = many.tls_data("*.apps.example.com")
    many.make([("/api/v1/namespaces", {"metadata": {"name": namespace(at)}}) for at in range(NAMESPACES)])
    many.make([
        (f"/api/v1/namespaces/{namespace(at)}/secrets", {
            "metadata": {"name": f"secret-{at // NAMESPACES}", "labels": {} if at >= NAMESPACES else {"epinio.io/routing": ""}},
            "type": "kubernetes.io/tls",
            "data": wild,
        })
        for at in range(SECRETS)
    ])
    def ingress(at: int) -> dict:
        number = at // NAMESPACES
        host = f"{namespace(at)}-{number}.apps.example.com"
        backend = {"service": {"name": "app", "port": {"number": 80}}}
        annotations = {"cert-manager.io/cluster-issuer": "nobody"} if number == 4 else {}
        return {
            "metadata": {"name": f"app-{number}", "annotations": annotations, "labels": {"app.kubernetes.io/name": "app"}},
            "spec": {
                "ingressClassName": "nobody",
                "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
                "tls": [{"hosts": [host], "secretName": f"secret-{number if number > 2 else 0}"}],
            },
        }

    path = "/apis/networking.k8s.io/v1/namespaces"
    many.make([(f"{path}/{namespace(at)}/ingresses", ingress(at)) for at in range(INGRESSES)])


def main() -> None:
    make_objects()
    commands = {
        "audit -A": [OURS, "audit", "-A"],
        "audit -A -o json": [OURS, "audit", "-A", "-o", "json"],
        # The objects that audit looks at first; it reads every other kind as well.
        "kubectl get secrets,ingresses,certificates -A -o json": [
            "kubectl", "get", "secrets,ingresses,certificates", "-A", "-o", "json",
        ],
        "match": [OURS, "match", "-n", namespace(7), "a.apps.example.com"],
    }
    print(f"{NAMESPACES} namespaces, {SECRETS} Secrets, {INGRESSES} Ingresses, median of {sys.argv[1]} runs")
    print("| command | seconds | MB |\n|---|---|---|")
    for name, command in commands.items():
        # The triggers are findings.
        runs = [many.run(command, 1 if name.startswith("audit") else 0) for _ in range(int(sys.argv[1]))]
        seconds, memory = (statistics.median(run[at] for run in runs) for at in (0, 1))
        print(f"| `{name}` | {seconds:.2f} | {memory:.0f} |", flush=True)
        if name == "audit -A":
            summary = runs[-1][3].strip().splitlines()[-1]
    print(summary)


main()
