// node-postgres: what django_orm.py does, in the statements that an ORM on it sends. None of them names a schema.
const { randomUUID } = require('crypto');
const { Pool } = require('pg');

const env = process.env;
const pool = new Pool({ host: env.CLIENT_HOST, port: env.CLIENT_PORT, database: env.CLIENT_DATABASE, user: 'lamps_web', max: 1 });
const places = {};
const placed = '2026-02-02T09:00:00Z';
let client;

const query = async (text, values = []) => client.query(text, values);
const listed = (rows, word) => rows.map(word).join(' ') || 'none';
const missing = { code: 'does not exist' };
const insert = 'INSERT INTO purchase (id, account_id, branch_id, placed_at, total) VALUES ($1, $2, $3, $4, $5)';
const values = (number, company, total = 99) => [number, ...places[company], placed, total];

async function signedIn(login, work) {
    client = await pool.connect();
    try {
        await query('BEGIN');
        if (login) {
            await query('SELECT entitle.sign_in($1)', [login]);
        }
        await work();
        await query('COMMIT');
    } catch (error) {
        await query('ROLLBACK');
        throw error;
    } finally {
        client.release();
    }
}

async function tell(what, work) {
    let answer;
    await query('SAVEPOINT one');
    try {
        answer = await work();
        await query('RELEASE one');
    } catch (error) {
        if (!error.code) {
            throw error;
        }
        await query('ROLLBACK TO one');
        answer = error.code;
    }
    console.log(`${what}: ${answer}`);
}

const add = async (number, company, total) => query(insert, values(number, company, total));
const change = async (number, total) => (await query('UPDATE purchase SET total = $2 WHERE id = $1', [number, total])).rowCount;

async function getTotal(number) {
    const found = await query('SELECT total FROM purchase WHERE id = $1', [number]);
    if (!found.rowCount) {
        throw missing;
    }
    return found.rows[0].total;
}

// What ORMs do where they send no ON CONFLICT: look, then write.
async function getOrCreate(number, company, total) {
    const isThere = (await query('SELECT FROM purchase WHERE id = $1', [number])).rowCount > 0;
    if (!isThere) {
        await add(number, company, total);
    }
    return isThere ? 'False' : 'True';
}

async function updateOrCreate(number, company, total) {
    const isThere = (await query('SELECT FROM purchase WHERE id = $1 FOR UPDATE', [number])).rowCount > 0;
    await (isThere ? change(number, total) : add(number, company, total));
    return isThere ? 'False' : 'True';
}

async function openAccount(company) {
    const id = randomUUID();
    const branch = places['Dune Studio'][1];
    await query('INSERT INTO account (id, company, branch_id, vat_number, deleted_at) VALUES ($1, $2, $3, NULL, NULL)', [id, company, branch]);
    await query(insert, [121, id, branch, placed, 5]);
    return (await query('SELECT FROM purchase p JOIN account a ON a.id = p.account_id WHERE a.company = $1', [company])).rowCount;
}

async function several(rows, end = '', table = 'purchase') {
    const lists = rows.map((row, i) => `(${row.map((_, j) => `$${i * row.length + j + 1}`).join(', ')})`).join(', ');
    await query(`INSERT INTO ${table} (id, account_id, branch_id, placed_at, total) VALUES ${lists}${end}`, rows.flat());
    return rows.length;
}

async function read() {
    await tell('  accounts', async () => listed((await query('SELECT company FROM account ORDER BY company')).rows, (r) => r.company));
    await tell('  filtered', async () => listed((await query("SELECT p.id FROM purchase p JOIN account a ON a.id = p.account_id WHERE a.company LIKE $1 AND p.total >= $2 ORDER BY p.id", ['C%', 80])).rows, (r) => r.id));
    await tell('  joined', async () => listed((await query('SELECT p.id, a.company FROM purchase p JOIN account a ON a.id = p.account_id ORDER BY p.id DESC LIMIT 2')).rows, (r) => `${r.id}=${r.company}`));
    await tell('  lines', async () => listed((await query('SELECT l.lamp, l.quantity, a.company FROM purchase_line l JOIN purchase p ON p.id = l.purchase_id JOIN account a ON a.id = p.account_id WHERE p.total > 150 AND l.line = 1 ORDER BY p.id')).rows, (r) => `${r.lamp}*${r.quantity}`));
    await tell('  page 2 of all', async () => {
        const all = (await query('SELECT count(*) AS n FROM purchase')).rows[0].n;
        return `${listed((await query('SELECT id FROM purchase ORDER BY id LIMIT 2 OFFSET 2')).rows, (r) => r.id)} of ${all}`;
    });
    await tell('  sum', async () => (await query('SELECT sum(total) AS s FROM purchase')).rows[0].s ?? 'none');
    await tell('  by account', async () => listed((await query('SELECT a.company, count(p.id) AS n FROM purchase p JOIN account a ON a.id = p.account_id GROUP BY a.company ORDER BY a.company')).rows, (r) => `${r.company}=${r.n}`));
    await tell('  locked', async () => (await query('SELECT * FROM purchase WHERE total > 100 FOR UPDATE')).rowCount);
    await tell('  got 3', () => getTotal(3));
}

async function main() {
    for (const login of ['iris', 'omar']) {
        await signedIn(`${login}@lamps.example`, async () => {
            for (const row of (await query('SELECT id, company, branch_id FROM account')).rows) {
                places[row.company] = [row.id, row.branch_id];
            }
        });
    }
    for (const login of ['iris', 'omar', 'ken', 'ada', 'cleo']) {
        const domain = { ada: 'birch', cleo: 'cedar' }[login] ?? 'lamps';
        console.log(login);
        await signedIn(`${login}@${domain}.example`, read);
    }
    console.log('nobody');
    await signedIn(null, async () => {
        await read();
        await tell('  created', () => add(100, 'Cedar Books'));
    });

    console.log('cleo writes');
    await signedIn('cleo@cedar.example', async () => {
        await tell('  created', async () => Number((await query(insert + ' RETURNING total', values(101, 'Cedar Books'))).rows[0].total));
        await tell('  saved, new', async () => ((await change(102, 99)) || (await add(102, 'Cedar Books')), 'done'));
        await tell('  several', () => several([values(103, 'Cedar Books'), values(104, 'Cedar Books')]));
        await tell('  several, one not allowed', () => several([values(105, 'Cedar Books'), values(106, 'Dune Studio')]));
        await tell('  for another company', () => add(107, 'Birch Hotels'));
        await tell('  changed', () => change(101, 1));
        await tell('  deleted', () => query('DELETE FROM purchase WHERE id = 101'));
        await tell("  deleted where it is another's", async () => (await query('DELETE FROM purchase WHERE id = 3')).rowCount);
        await tell('  get_or_create, there', () => getOrCreate(101));
        await tell('  get_or_create, new', () => getOrCreate(108, 'Cedar Books', 7));
        await tell("  get_or_create, another's", () => getOrCreate(3, 'Cedar Books', 7));
        await tell('  update_or_create, new', () => updateOrCreate(109, 'Cedar Books', 8));
        await tell('  update_or_create, there', () => updateOrCreate(109, 'Cedar Books', 9));
        await tell('  DO NOTHING without a key, new', () => several([values(110, 'Cedar Books')], ' ON CONFLICT DO NOTHING'));
        await tell('  DO NOTHING without a key, there', () => several([values(110, 'Cedar Books')], ' ON CONFLICT DO NOTHING'));
        await tell("  DO NOTHING on the table, one there, one new, one another's", () => several([110, 111, 3].map((n) => values(n, 'Cedar Books')), ' ON CONFLICT DO NOTHING', 'lamps.purchase'));
        await tell('  has now', async () => (await query('SELECT FROM purchase WHERE id > 100')).rowCount);
    });
    console.log('omar writes');
    await signedIn('omar@lamps.example', async () => {
        await tell('  changed', async () => ((await change(2, 41)), 'done'));
        await tell('  all changed', async () => (await query('UPDATE purchase SET total = total + 1')).rowCount);
        await tell('  update_or_create, there', () => updateOrCreate(2, 'Dune Studio', 43));
        await tell('  update_or_create, new', () => updateOrCreate(120, 'Dune Studio', 44));
        await tell("  update_or_create, another's", () => updateOrCreate(3, 'Dune Studio', 45));
        await tell('  account changed', async () => (await query("UPDATE account SET vat_number = $1 WHERE company = 'Dune Studio'", ['D-45'])).rowCount);
        await tell('  account and its order created', () => openAccount('Elm Inn'));
        await tell('  has now', async () => listed((await query('SELECT id, total FROM purchase ORDER BY id')).rows, (r) => `${r.id}=${r.total}`));
    });

    console.log('undone');
    await signedIn('omar@lamps.example', async () => {
        await tell('  without roles from the next statement on', async () => {
            await query("UPDATE person SET staff_roles = '{}' WHERE email = 'omar@lamps.example'");
            return (await query('SELECT FROM purchase')).rowCount;
        });
        throw missing;
    }).catch((error) => { if (error !== missing) throw error; });
    await signedIn('cleo@cedar.example', async () => {
        await add(130, 'Cedar Books');
        throw missing;
    }).catch((error) => { if (error !== missing) throw error; });
    await signedIn(null, () => tell('  nobody is left', async () => (await query('SELECT FROM purchase')).rowCount));
    await signedIn('cleo@cedar.example', () => tell('  no order is left', async () => (await query('SELECT FROM purchase WHERE id = 130')).rowCount));
    await signedIn('eve@nowhere.example', async () => {}).catch((error) => console.log('  an unknown login:', error.code));
    await pool.end();
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
