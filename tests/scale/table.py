"""Results: a line of JSON on standard output for each recipe, which `run` gathers; and the verdict."""
import json
import sys


def write_table(name, seed, rows, more=None):
    print(json.dumps({'recipe': name, 'seed': seed, 'rows': rows, 'more': more or {}}))
    bad = [row for row in rows if row.get('wrong allows') or row.get('wrong denials')]
    silent = [row for row in rows if not row.get('answers')]
    if bad or silent:
        print(f'# {name}: wrong answers, or none at all')
        sys.exit(1)
