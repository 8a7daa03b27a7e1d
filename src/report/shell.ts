// The page before its script has run: headings, landmarks, controls with their labels, and the charts, which are
// drawn from the machines' own definitions. It holds nothing of any log, so it is the same in every report.

import { chartOf } from '../chart/chart.ts';
import { DRAWN, DRAWN_NAMES, type DrawnName } from '../chart/machines.ts';
import { svgOf } from '../chart/svg.ts';

export function shell(): string {
  return `${HEAD}
${DRAWN_NAMES.map(drawing).join('\n')}
<noscript><p class="page">This report needs the script that stands in it. It needs no network.</p></noscript>
<div class="page">
${BODY}
</div>`;
}

/** Machines with one definition share one drawing; the page copies it. */
function drawing(name: DrawnName): string {
  const chart = chartOf(DRAWN[name]);
  return `<template data-chart="${chart.id}">${svgOf(chart, { hasStyle: false })}</template>`;
}

const HEAD = `<a class="skip" href="#travel">Skip to the history</a>
<header class="top page">
<p class="brand">Breakwater <span>report</span></p>
<div class="themes" role="group" aria-label="Colours">
<button type="button" data-theme-choice="auto" aria-pressed="true">Auto</button>
<button type="button" data-theme-choice="light" aria-pressed="false">Light</button>
<button type="button" data-theme-choice="dark" aria-pressed="false">Dark</button>
</div>
</header>`;

const BODY = `<main>
<section class="now" aria-labelledby="headline">
<h1 id="headline"></h1>
<p id="sub" class="lead"></p>
<dl id="facts" class="facts"></dl>
<div id="lists"></div>
</section>

<section aria-labelledby="days-title">
<div class="head"><h2 id="days-title">Ninety days</h2><p id="days-said" class="aside" aria-live="polite"></p></div>
<div id="days" class="days"></div>
<ul id="legend" class="legend" aria-label="What the patterns mean"></ul>
</section>

<section aria-labelledby="figures-title">
<h2 id="figures-title">In figures</h2>
<dl id="figures" class="figures"></dl>
</section>

<section aria-labelledby="outages-title">
<div class="head"><h2 id="outages-title">Outages</h2><p id="outages-said" class="aside"></p></div>
<div id="outages" class="cards"></div>
<button type="button" id="more" class="quiet" hidden></button>
</section>

<section id="travel" tabindex="-1" aria-labelledby="travel-title">
<div class="head"><h2 id="travel-title">Any moment</h2>
<p class="aside keys"><kbd>←</kbd> <kbd>→</kbd> step · <kbd>PgUp</kbd> <kbd>PgDn</kbd> outages · <kbd>Home</kbd> <kbd>End</kbd> · <kbd>/</kbd> filter</p></div>
<div class="deck">
<div id="overview" class="overview"></div>
<input type="range" id="scrubber" min="0" step="1" aria-label="Event of the log">
<div class="transport">
<div class="buttons" role="group" aria-label="Go through the log">
<button type="button" data-go="first" aria-label="First event">⇤</button>
<button type="button" data-go="outage-before" aria-label="Outage before">« Outage</button>
<button type="button" data-go="before" aria-label="Event before">←</button>
<button type="button" data-go="after" aria-label="Next event">→</button>
<button type="button" data-go="outage-after" aria-label="Next outage">Outage »</button>
<button type="button" data-go="last" aria-label="Last event">⇥</button>
</div>
<p id="moment" class="moment"></p>
</div>
</div>
<div class="event" id="event"></div>
<div id="machines" class="machines"></div>
</section>

<section aria-labelledby="events-title" class="events-section">
<div class="head"><h2 id="events-title">Events</h2><p id="events-said" class="aside" role="status"></p></div>
<form id="filters" class="filters" role="search" aria-label="Filter events">
<label>Type <select id="filter-type"></select></label>
<label>Machine <select id="filter-machine"></select></label>
<label class="grow">Text <input type="search" id="filter-text" autocomplete="off" spellcheck="false" placeholder="symptom, reason, process, scene"></label>
<label class="check"><input type="checkbox" id="filter-changes"> Only changes of state</label>
</form>
<div class="table" id="table"></div>
<p class="print-only" id="events-print"></p>
</section>
</main>
<footer id="foot" class="foot"></footer>`;
