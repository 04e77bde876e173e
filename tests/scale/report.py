"""Prints what recipes found; with a page, puts it there between the marks of each recipe: report.py RESULTS [PAGE]"""
import json
import re
import sys

page = sys.argv[2] if len(sys.argv) > 2 else None
text = open(page, encoding='utf-8').read() if page else ''
with open(sys.argv[1], encoding='utf-8') as file:
    for line in file:
        result = json.loads(line)
        columns = list(result['rows'][0])
        table = ['| ' + ' | '.join(columns) + ' |', '|' + '---|' * len(columns)]
        table += ['| ' + ' | '.join(str(row[c]) for c in columns) + ' |' for row in result['rows']]
        told = '; '.join(f'{name}: {value}' for name, value in result['more'].items())
        figures = '\n'.join(table) + f"\n\nSeed {result['seed']}. {told}.\n"
        print(f"\n{result['recipe']}\n{figures}")
        if page:
            mark = f"<!-- {result['recipe']} -->"
            text = re.sub(f'{mark}\n.*?{mark}\n', lambda _: f'{mark}\n{figures}{mark}\n', text, flags=re.S)
if page:
    with open(page, 'w', encoding='utf-8') as file:
        file.write(text)
