// SPDX-License-Identifier: GPL-2.0-only
// What can be done with a report: columns off and on, one time axis for all
// timelines of a window, values at the pointer. The address says the state:
// #hide=0-1,0-2&zoom=0-0:0.25:0.5
"use strict";
(() => {
const all = (s) => [...document.querySelectorAll(s)];
const svgns = "http://www.w3.org/2000/svg";
const tip = document.getElementById("tip");
const zoomed = {}; // window -> [from, to], shares of the whole

const zoomOf = (v) => zoomed[v] || [0, 1];

// Round numbers for at most nine ticks.
function ticks(from, to) {
	const least = (to - from) / 9, p = 10 ** Math.floor(Math.log10(least));
	const step = [1, 2, 5, 10].map((n) => n * p).find((n) => n >= least * 0.999999);
	const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)), out = [];
	for (let n = Math.ceil(from / step); n * step <= to; n++)
		out.push([n * step, (n * step).toFixed(digits)]);
	return out;
}

function drawAxis(g, a, b) {
	const d = g.dataset, x = +d.x, w = +d.w, y = +d.y;
	const from = +d.from + a * (d.to - d.from), to = +d.from + b * (d.to - d.from);
	let own = g.nextElementSibling;
	if (own && own.classList.contains("zoomed"))
		own.remove();
	const whole = a === 0 && b === 1;
	g.classList.toggle("whole", !whole);
	if (whole)
		return;
	own = document.createElementNS(svgns, "g");
	own.setAttribute("class", "zoomed");
	if (d.c) {
		own.setAttribute("class", "zoomed col");
		own.dataset.c = d.c;
		own.classList.toggle("off", g.classList.contains("off"));
	}
	for (const [at, label] of ticks(from, to)) {
		const px = x + w * (at - from) / (to - from);
		const l = document.createElementNS(svgns, "path");
		l.setAttribute("d", `M${px} ${y}v3`);
		l.setAttribute("stroke", "#000");
		l.setAttribute("stroke-width", "0.6");
		const t = document.createElementNS(svgns, "text");
		t.setAttribute("x", px);
		t.setAttribute("y", y + 14);
		t.setAttribute("font-size", "8");
		t.setAttribute("text-anchor", "middle");
		t.textContent = label;
		own.append(l);
		if (!d.c)
			own.append(t);
	}
	g.after(own);
}

function show(v) {
	const [a, b] = zoomOf(v), whole = a === 0 && b === 1;
	for (const p of all(`.plot[data-v="${v}"]`)) {
		const n = (k) => +p.getAttribute(k);
		p.setAttribute("viewBox", `${n("x") + a * n("width")} ${n("y")} ` +
			`${(b - a) * n("width")} ${n("height")}`);
		p.classList.toggle("zoomed", !whole);
		let next = p.nextElementSibling;
		for (; next; next = next.nextElementSibling)
			if (next.classList.contains("marks"))
				next.classList.toggle("off", !whole);
	}
	for (const g of all(`.axis[data-v="${v}"]`))
		drawAxis(g, a, b);
}

function remember() {
	const hide = all("#controls input").filter((i) => !i.checked)
		.map((i) => i.dataset.c).join(",");
	const zoom = Object.entries(zoomed)
		.map(([v, [a, b]]) => `${v}:${a.toFixed(5)}:${b.toFixed(5)}`).join(",");
	const parts = [];
	if (hide)
		parts.push("hide=" + hide);
	if (zoom)
		parts.push("zoom=" + zoom);
	history.replaceState(null, "", "#" + parts.join("&"));
}

function zoom(v, a, b) {
	a = Math.max(0, a);
	b = Math.min(1, b);
	if (b - a < 1e-4)
		return;
	if (a === 0 && b === 1)
		delete zoomed[v];
	else
		zoomed[v] = [a, b];
	show(v);
}

function hide(c, off) {
	for (const g of all(`.col[data-c="${c}"]`))
		g.classList.toggle("off", off);
}

// Where in the whole window the pointer is.
function place(r, e) {
	const box = r.getBoundingClientRect(), [a, b] = zoomOf(r.dataset.v);
	return a + (b - a) * Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
}

// "V" is the next value, "N~V" are N of them on the way to V.
function unpack(list) {
	const out = [];
	for (const word of list.split(" ")) {
		const [v, n = 1] = word.split("~").reverse().map(Number);
		const from = out.length ? out[out.length - 1] : v;
		for (let i = 1; i <= n; i++)
			out.push(from + (v - from) * i / n);
	}
	return out;
}

function values(r, e) {
	const d = r.dataset, at = place(r, e), names = d.of.split("|");
	const lists = r.lists = r.lists || d.is.split("|").map(unpack);
	const i = Math.min(lists[0].length - 1, Math.floor(at * lists[0].length));
	const time = +d.from + at * (d.to - d.from);
	return `${d.name}\nat ${time.toPrecision(4)} ${d.time}` +
		names.map((n, k) => `\n${n}: ${+lists[k][i].toPrecision(3)} ${d.unit}`).join("");
}

let drag = null;
function range(r, to) {
	const n = (k) => +r.getAttribute(k), [a, b] = zoomOf(r.dataset.v);
	const x = (s) => n("x") + n("width") * (s - a) / (b - a);
	let m = document.getElementById("range");
	if (!m) {
		m = document.createElementNS(svgns, "rect");
		m.id = "range";
	}
	r.after(m);
	m.setAttribute("x", x(Math.min(drag.at, to)));
	m.setAttribute("width", Math.abs(x(to) - x(drag.at)));
	m.setAttribute("y", n("y"));
	m.setAttribute("height", n("height"));
}

for (const r of all(".v")) {
	r.addEventListener("mousemove", (e) => {
		tip.textContent = values(r, e);
		tip.hidden = false;
		tip.style.left = Math.min(e.clientX + 14, innerWidth - 200) + "px";
		tip.style.top = e.clientY + 14 + "px";
		if (drag && drag.r === r)
			range(r, place(r, e));
	});
	r.addEventListener("mouseleave", () => { tip.hidden = true; });
	r.addEventListener("mousedown", (e) => {
		drag = { r, at: place(r, e) };
		e.preventDefault();
	});
	r.addEventListener("dblclick", () => { zoom(r.dataset.v, 0, 1); remember(); });
}
addEventListener("mouseup", (e) => {
	if (!drag)
		return;
	const to = place(drag.r, e), a = Math.min(drag.at, to), b = Math.max(drag.at, to);
	const m = document.getElementById("range"), v = drag.r.dataset.v;
	drag = null;
	if (m)
		m.remove();
	if (b - a > 0.004) {
		zoom(v, a, b);
		remember();
	}
});
for (const i of all("#controls input"))
	i.addEventListener("change", () => { hide(i.dataset.c, !i.checked); remember(); });
document.getElementById("whole").addEventListener("click", () => {
	for (const v of Object.keys(zoomed))
		zoom(v, 0, 1);
	remember();
});

document.getElementById("controls").hidden = false;
for (const part of location.hash.slice(1).split("&")) {
	const [key, list] = part.split("=");
	for (const word of list ? list.split(",") : [])
		if (key === "hide") {
			const i = document.querySelector(`#controls input[data-c="${word}"]`);
			if (i)
				i.checked = false;
			hide(word, true);
		} else if (key === "zoom") {
			const [v, a, b] = word.split(":");
			zoom(v, +a, +b);
		}
}
})();
