// A page of demo/report by keyboard alone: node report_keys.js BROWSER URL light|dark. Says "focus ok" when Tab reaches every control
// and each shows that it has the focus, and "keys ok" when typing searches, a link jumps to its section and arrows scroll a table.
'use strict';
const { chromium } = require('playwright-core');

async function main() {
    const [executablePath, url, colorScheme] = process.argv.slice(2);
    const browser = await chromium.launch({
        executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    const page = await browser.newPage({ viewport: { width: 1000, height: 700 }, colorScheme });
    await page.goto(url);
    const wanted = await page.evaluate(() => document.querySelectorAll('a[href], input, .wrap').length);
    const seen = new Set();
    let unmarked = 0;
    for (let i = 0; i < wanted + 5 && seen.size < wanted; ++i) {
        await page.keyboard.press('Tab');
        const focus = await page.evaluate(() => {
            const all = Array.from(document.querySelectorAll('a[href], input, .wrap'));
            const style = getComputedStyle(document.activeElement);
            return { number: all.indexOf(document.activeElement), isMarked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 };
        });
        if (focus.number >= 0) {
            seen.add(focus.number);
            unmarked += focus.isMarked ? 0 : 1;
        }
    }
    console.log(seen.size === wanted && unmarked === 0 ? 'focus ok' : `${seen.size} of ${wanted} controls, ${unmarked} without a mark`);

    await page.focus('nav a[href="#roles"]');
    await page.keyboard.press('Enter');
    const hash = await page.evaluate(() => location.hash);
    await page.focus('#roles .wrap');
    await page.keyboard.press('End');
    await page.waitForTimeout(500);
    const scrolled = await page.evaluate(() => {
        const table = document.querySelector('#roles .wrap');
        return table.scrollTop > 0 || table.scrollHeight <= table.clientHeight;
    });
    await page.focus('#search');
    await page.keyboard.type('mara');
    const found = await page.textContent('#found');
    const isDark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor === 'rgb(20, 24, 27)');
    const isRight = hash === '#roles' && scrolled && /^[1-9][0-9]* of [0-9]+ rows$/.test(found) && isDark === (colorScheme === 'dark');
    console.log(isRight ? 'keys ok' : `hash ${hash}, scrolled ${scrolled}, found "${found}", dark ${isDark}`);
    await browser.close();
}

main().catch(error => {
    console.log(error.message);
    process.exit(1);
});
