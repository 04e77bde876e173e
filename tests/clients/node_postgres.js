// node-postgres. Queries with values but no name leave no statement behind, so they suit every pooler.
const { Client } = require('pg');
const fs = require('fs');

const env = process.env;
const identity = env.CLIENT_IDENTITY;
const people = fs.readFileSync(env.CLIENT_PEOPLE, 'utf8').trim().split('\n').map((line) => line.split(' '));
const question = `SELECT concat_ws(' ', coalesce(entitle.current_login(), 'none'), entitle.access_level($1::bigint),
    entitle.has_permission('customers.view'), (SELECT count(*) FROM orders_view),
    (SELECT count(price) FROM orders_view), (SELECT count(*) FROM invoices)) AS answer`;

async function connect(user, port = env.CLIENT_PORT, database = env.CLIENT_DATABASE) {
    const client = new Client({ host: env.CLIENT_HOST, port, database, user });
    await client.connect();
    return client;
}

async function ask(client) {
    return (await client.query(question, [1])).rows[0].answer;
}

async function main() {
    const application = identity === 'role' ? null : await connect('app');
    const administrator = await connect('postgres', env.SERVER_PORT, 'postgres');

    async function asPerson(login, token, work) {
        if (identity === 'role') {
            const client = await connect('role_' + login);
            await work(client);
            await client.end();
            return;
        }
        await application.query('BEGIN');
        if (identity === 'sign_in') {
            await application.query('SELECT entitle.sign_in($1)', [login]);
        } else {
            await application.query("SELECT set_config('entitle.token', $1, true)", [token]);
        }
        await work(application);
        await application.query('COMMIT');
    }

    for (const [login, token] of people) {
        await asPerson(login, token, async (client) => console.log(await ask(client)));
    }
    if (application) {
        console.log('after:', await ask(application));
    }
    await asPerson('l30', Object.fromEntries(people).l30, async (client) => {
        console.log('before the revoke:', await ask(client));
        await administrator.query('SELECT entitle.revoke_access($1, $2)', [1, 'l30']);
        console.log('after the revoke:', await ask(client));
    });
    await administrator.query("SELECT entitle.grant_access($1, $2, 'L30', NULL)", [1, 'l30']);
    await administrator.end();
    if (application) {
        await application.end();
    }
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
