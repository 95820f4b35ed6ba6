/** How the page looks: on a screen, in a narrow window and on paper. */
import { themeCss } from '../theme.ts';

const LAYOUT = `
*{box-sizing:border-box}
html{color-scheme:light dark;scroll-behavior:smooth;-webkit-text-size-adjust:100%}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{font:16px/1.55 system-ui,"Segoe UI",Helvetica,Arial,sans-serif;color:var(--ink);
  background:var(--page);max-width:60rem;margin:0 auto;padding:2.5rem 1.5rem 3rem}
h1,h2,h3{line-height:1.25;text-wrap:balance}
h1{font-size:1rem;font-weight:600;color:var(--muted);margin:0 0 .9rem}
h2{font-size:1.35rem;margin:3.2rem 0 .8rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1.02rem;margin:2rem 0 .4rem}
p,ul{max-width:46rem;margin:.6rem 0}
a{color:var(--accent);text-underline-offset:.18em}
a:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--accent);outline-offset:3px}
footer{color:var(--muted);font-size:.88rem;margin-top:3rem;padding-top:1rem;
  border-top:1px solid var(--line)}
`;

const HEAD = `
.finding{font-size:1.42rem;line-height:1.42;font-weight:500;max-width:none;margin:0 0 .8rem;
  text-wrap:pretty}
.lead{color:var(--muted)}
.tiles{display:grid;grid-template-columns:repeat(3,1fr);gap:.8rem;margin:1.6rem 0}
.tiles>div{background:var(--raised);border:1px solid var(--line);border-radius:10px;
  padding:.85rem 1rem;display:flex;flex-direction:column}
.tiles dt{order:2;color:var(--ink);font-weight:600}
.tiles dd{margin:0}
.tiles .value{order:1;font-size:1.75rem;font-weight:650;line-height:1.25;
  font-variant-numeric:tabular-nums}
.tiles .value small{font-size:1rem;font-weight:500;color:var(--muted)}
.tiles .note{order:3;font-size:.86rem;color:var(--muted)}
nav ol{list-style:none;display:flex;flex-wrap:wrap;gap:.35rem 1.1rem;padding:0;margin:1.6rem 0 0;
  font-size:.94rem}
`;

const FIGURES = `
figure{margin:1.4rem 0}
figcaption{font-size:.9rem;color:var(--muted);max-width:46rem;margin-top:.35rem}
svg.chart{display:block;max-width:100%;height:auto}
.narrow{display:none}
table{border-collapse:collapse;margin:1.2rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;font-size:.9rem;color:var(--muted);padding-bottom:.5rem;max-width:46rem}
th,td{padding:.36rem .85rem;text-align:right;border-bottom:1px solid var(--line);font-weight:400}
thead th{font-weight:600;border-bottom:2px solid var(--line);vertical-align:bottom}
th:first-child{text-align:left;padding-left:0}
td:last-child,thead th:last-child{padding-right:0}
tr.difference>*{font-weight:600}
tr.group th{font-weight:600;padding-top:1rem;color:var(--muted)}
abbr{text-decoration:none}
td{white-space:nowrap}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(24rem,100%),1fr));gap:0 2.5rem}
.pair table{width:100%;font-size:.86rem}
.pair :is(th,td):not(:first-child){padding-left:.3rem}
.pair :is(th,td):not(:last-child){padding-right:.3rem}
.classes{width:100%;font-size:.88rem}
.classes th,.classes td{padding-block:.16rem}
.classes th[scope=row]{overflow-wrap:anywhere}
.classes thead th{position:sticky;top:0;background:var(--page)}
dl.settings,main>section>dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.2rem}
main dt{color:var(--muted)} main dd{margin:0;overflow-wrap:anywhere}
`;

const SCENES = `
.key{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;list-style:none;padding:0;max-width:none}
.key svg,.marks svg{width:1.05rem;height:1.05rem;vertical-align:-.16rem;margin-right:.4rem;
  flex:none;overflow:visible}
.scene{margin:1.8rem 0 2.2rem;break-inside:avoid}
.scene h3{margin-bottom:.1rem}
.scene>p{color:var(--muted);font-size:.92rem;margin-top:.1rem}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:1rem}
.panels figure{margin:0;min-width:0;max-width:26rem}
.panels figcaption{color:var(--ink);margin:0 0 .35rem}
.panels figcaption b{font-weight:600;display:block}
.picture{display:block;width:100%;height:auto;border-radius:8px}
.picture image{image-rendering:pixelated}
.picture text{font:600 3.3px system-ui,"Segoe UI",Helvetica,Arial,sans-serif;paint-order:stroke;
  stroke:#000c;stroke-width:.9px;stroke-linejoin:round}
.marks{list-style:none;padding:0;margin:.5rem 0;font-size:.86rem;line-height:1.5}
.marks li{display:flex;align-items:baseline}
.marks svg{position:relative;top:.16rem}
.marks small{color:var(--muted);font-size:1em}
`;

const NARROW = `
@media (max-width:46rem){
body{font-size:15.5px;padding:1.4rem 1rem 2rem}
.finding{font-size:1.18rem}
.wide{display:none} .narrow{display:block}
.tiles{grid-template-columns:1fr;gap:.5rem}
th,td{padding:.3rem .3rem}
table,.pair table{font-size:.82rem;width:100%}
td{white-space:normal}
.classes{font-size:.74rem}
.classes th,.classes td{padding-inline:.16rem}
main>section>dl,dl.settings{grid-template-columns:1fr;gap:.05rem}
main dd{margin-bottom:.5rem}
}
`;

const PAPER = `
@page{margin:14mm}
@media print{
body{font-size:10.5pt;padding:0;max-width:none}
.finding{font-size:14pt}
nav{display:none}
.wide{display:block} .narrow{display:none}
.tiles{grid-template-columns:repeat(3,1fr)}
h2{margin-top:1.6rem}
h2,h3,caption{break-after:avoid}
figure,tr,.tiles{break-inside:avoid}
.panels{grid-template-columns:repeat(3,1fr);gap:.6rem}
.marks{font-size:8pt}
.classes{font-size:8.5pt}
.classes thead th{position:static}
a{color:inherit;text-decoration:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;

export const STYLE = [themeCss(':root'), LAYOUT, HEAD, FIGURES, SCENES, NARROW, PAPER].join('');
