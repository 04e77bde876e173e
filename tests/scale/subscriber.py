"""Logical replication: the model and the rows arrive at a subscriber that has the extension and protects its tables itself."""
import sys
import time

from history import PROTECT, ROLES, SETUP, WORLD, run_history
from servers import servers
from table import write_table

seconds, seed = float(sys.argv[1]), int(sys.argv[2])
with servers() as make:
    publisher, subscriber = make('publisher').init().start(), make('subscriber').init().start()
    model = """(SELECT string_agg(DISTINCT tgrelid::regclass::text, ', ') FROM pg_trigger
                WHERE tgname = 'entitle_log_update')"""
    for server in (publisher, subscriber):
        for text in (ROLES, SETUP):
            server.execute(text)
    publisher.execute(WORLD)
    # What is declared is no part of the model: each side protects its own tables.
    subscriber.execute(f"DO $$ BEGIN EXECUTE format('TRUNCATE %s, beat', {model}); END $$")
    publisher.execute(f"DO $$ BEGIN EXECUTE format('CREATE PUBLICATION model FOR TABLE %s, beat', {model}); END $$")
    publisher.execute('ALTER TABLE beat REPLICA IDENTITY FULL')
    subscriber.execute(f"CREATE SUBSCRIPTION model CONNECTION 'host={publisher.socket} user=postgres dbname=postgres' PUBLICATION model")
    begun = time.monotonic()
    while not subscriber.value("SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel"):
        if time.monotonic() - begun > 120:
            raise RuntimeError('the first copy does not end')
        time.sleep(0.1)
    for server in (publisher, subscriber):
        server.execute(PROTECT)
    rows = run_history(publisher.connect, [('publisher', publisher.connect), ('subscriber', subscriber.connect)], seconds, seed)

    # All has arrived: the two models and their logs of the grants are one.
    last = publisher.value('SELECT n FROM beat')
    begun = time.monotonic()
    while subscriber.value('SELECT n FROM beat') != last:
        if time.monotonic() - begun > 120:
            raise RuntimeError('the changes do not arrive')
        time.sleep(0.05)
    same = ["SELECT md5(string_agg(g::text, ',' ORDER BY g::text)) FROM entitle.external_access g",
            "SELECT md5(string_agg(concat(p.role_id, p.permission_key), ',' ORDER BY p.role_id, p.permission_key)) FROM entitle.role_permission p",
            "SELECT count(*) FROM entitle.change_log WHERE relation = 'entitle.external_access'::regclass AND num_nonnulls(old_row, new_row) > 0"]
    differences = [query for query in same if publisher.value(query) != subscriber.value(query)]
    if differences:
        raise RuntimeError(f'publisher and subscriber differ: {[(q, publisher.value(q), subscriber.value(q)) for q in differences]}')
    write_table('subscriber', seed, rows, {'differences between the two models at the end': len(differences)})
