"""One render through the filter and its peers, and a large chart through both Helms; see peers.sh."""

import os
import pathlib
import shutil
import subprocess

from measure import MB, WORK, measure, row, times

FILTER, PEER, KUBECTL, ROUND_TRIP, YQ, CORPUS = (
    os.environ[name] for name in ("FILTER", "PEER", "KUBECTL", "ROUND_TRIP", "YQ_BIN", "CORPUS")
)
HELMS = {"Helm 3": os.environ["HELM3_BIN"], "Helm 4": os.environ["HELM4_BIN"]}
INVENTORY = f"{WORK}/inventory.yaml"


def write(path, text):
    file = pathlib.Path(WORK, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def one_render():
    """argo-cd's render: the same two edits by each, but for cat and the round trip, which edit nothing."""
    render = f"{WORK}/kustomize/argo-cd.yaml"
    os.makedirs(f"{WORK}/kustomize")
    shutil.copy(f"{CORPUS}/argo-cd.yaml", render)
    write("kustomize/kustomization.yaml", """resources: [argo-cd.yaml]
patches:
- target: {group: networking.k8s.io, kind: Ingress, name: rel-argocd-server}
  patch: |
    - {op: replace, path: /spec/tls/0/secretName, value: wild}
    - {op: remove, path: /metadata/annotations/cert-manager.io~1cluster-issuer}
""")
    edit = 'select(.kind == "Ingress") |= (.spec.tls[0].secretName = "wild" | del(.metadata.annotations["cert-manager.io/cluster-issuer"]))'
    commands = {
        "the filter": [FILTER, "post-render", "-n", "demo", "--inventory", INVENTORY],
        "kubectl kustomize": [KUBECTL, "kustomize", f"{WORK}/kustomize"],
        "yq": [YQ, edit, "-"],
        "a round trip through serde_yaml": [ROUND_TRIP],
        "cat": ["cat"],
    }
    figures = dict(zip(commands, measure(list(commands.values()), "kustomize/argo-cd.yaml")))
    ours = figures["the filter"]
    for name, peer in figures.items():
        if peer is not ours:
            times(f"the filter against {name}", ours, peer, peer.wall / ours.wall, "", None)
    peaks = ", ".join(f"{name} {figure.peak / MB:.0f} MB" for name, figure in figures.items())
    print(f"memory: {peaks}", flush=True)


def large_chart():
    """2,000 Deployments and 100 Ingresses with a trigger each: Helm alone, with a no-op, with the filter."""
    write("chart/Chart.yaml", "apiVersion: v2\nname: large\nversion: 0.1.0\n")
    write("chart/templates/deployments.yaml", """{{- range until 2000 }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{{ . }}
spec:
  selector: {matchLabels: {app: app-{{ . }}}}
  template:
    metadata: {labels: {app: app-{{ . }}}}
    spec:
      containers:
      - name: app
        image: registry.example.com/app:1.{{ . }}
        args: [--port=8080, --name=app-{{ . }}]
        resources: {requests: {cpu: 10m, memory: 64Mi}, limits: {memory: 128Mi}}
{{- end }}
""")
    write("chart/templates/ingresses.yaml", """{{- range until 100 }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: app-{{ . }}
  annotations: {cert-manager.io/cluster-issuer: letsencrypt}
spec:
  tls:
  - hosts: [app-{{ . }}.apps.example.com]
    secretName: app-{{ . }}-tls
{{- end }}
""")
    folder = os.path.dirname(FILTER)
    plugins = pathlib.Path(WORK, "plugins")
    for name, command in (("no-op", "cat"), ("kubectl-routing_secrets", f"{FILTER} post-render")):
        words = command.split()
        write(f"plugins/{name}/plugin.yaml", f"""apiVersion: v1
type: postrenderer/v1
name: {name}
version: 0.1.0
runtime: subprocess
runtimeConfig:
  platformCommand:
  - command: {words[0]}
    args: {words[1:]}
""")
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    os.environ["ROUTING_SECRETS_INVENTORY"] = INVENTORY
    write("nothing", "")
    for name, helm in HELMS.items():
        os.environ["HELM_PLUGINS"] = str(plugins) if name == "Helm 4" else ""
        line = [helm, "template", "app", f"{WORK}/chart", "-n", "demo"]
        no_op = ["--post-renderer", "no-op" if name == "Helm 4" else "cat"]
        commands = [line, line + no_op, line + ["--post-renderer", "kubectl-routing_secrets"]]
        rendered = subprocess.run(commands[2], capture_output=True, text=True, check=True).stdout
        if rendered.count("secretName: wild") != 100:
            raise SystemExit(f"peers.py: {name}: the filter has not rewritten every Ingress")
        alone, with_no_op, ours = measure(commands, "nothing")
        goal, met = ("<= 1.10", ours.wall / with_no_op.wall <= 1.10) if name == "Helm 4" else ("", None)
        times(f"{name} template with the filter against it alone", ours, alone, ours.wall / alone.wall, "", None)
        times(f"{name} template with the filter against a no-op", ours, with_no_op, ours.wall / with_no_op.wall, goal, met)


with open(INVENTORY, "w") as inventory:
    subprocess.run([PEER, "secrets", "3"], stdout=inventory, check=True)
row("figure", "ours", "peer", "ratio", "goal", None)
one_render()
large_chart()
