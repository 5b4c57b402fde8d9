"""How the page looks. It holds no text of a report, and asks for no font and no picture."""

from janitor.report.html.styles_of_rows import ROWS

_THEMES = """
:root{
--ground:#f5f6f8;--panel:#fff;--ink:#19202b;--soft:#525d6d;--line:#dce1e8;--link:#0b57a4;--code:#eef1f5;
--expiring:#8f5200;--expired:#b3261e;--malformed:#a3155f;--legacy:#0a6a6a;--permanent:#6a3db3;--stale:#566171;
--active:#1c6e3e;--bar-ahead:#d98a1f;--bar-odd:#a03a00;--bar-behind:#7d8a9b;
--errors:#b3261e;--errors-ground:#fdeceb;--warnings:#805000;--warnings-ground:#fff5dd;
color-scheme:light}
@media screen and (prefers-color-scheme:dark){:root{
--ground:#11151b;--panel:#1a2029;--ink:#e7ebf1;--soft:#a6b1c1;--line:#2f3947;--link:#8cc2ff;--code:#242c38;
--expiring:#f4b759;--expired:#ff9187;--malformed:#ff97c6;--legacy:#66d2cf;--permanent:#c7a7ff;--stale:#b0bac8;
--active:#7fd69e;--bar-ahead:#e2a144;--bar-odd:#ff8652;--bar-behind:#7e8da2;
--errors:#ff9187;--errors-ground:#3a1a1b;--warnings:#f4b759;--warnings-ground:#33270f;
color-scheme:dark}}
"""

_BASE = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0 auto;max-width:1240px;padding:28px 24px 40px;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums;
overflow-wrap:anywhere}
h1,h2,h3{line-height:1.25;margin:0;font-weight:650;letter-spacing:-.01em}
h1{font-size:28px}h2{font-size:19px;margin:0 0 12px}h3{font-size:16px;margin:0 0 8px}
h2 small,h3 small{font-weight:400;font-size:14px;color:var(--soft);letter-spacing:0}
p{margin:0 0 10px}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:4px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px}
:not(pre)>code{background:var(--code);border-radius:4px;padding:1px 5px}
main>section{margin-top:32px}
.panel{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:18px 20px}
.panel>:last-child{margin-bottom:0}
.note,.meaning,.back,.calm{color:var(--soft);font-size:14px}
.sign{display:inline-block;width:1.35em;font-size:.85em}
.hidden,.skip:not(:focus){position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);
white-space:nowrap}
.expiring{--tone:var(--expiring)}.expired{--tone:var(--expired)}.malformed{--tone:var(--malformed)}
.legacy{--tone:var(--legacy)}.permanent{--tone:var(--permanent)}.stale{--tone:var(--stale)}
.active{--tone:var(--active)}
"""

_TOP = """
.brand{margin:0 0 4px;color:var(--soft);font-size:13px;letter-spacing:.04em}
.facts{margin:8px 0 0;color:var(--soft);font-size:14px}
.lede{margin:14px 0 0;font-size:18px}
.badge{display:inline-block;margin-left:8px;border:1px solid currentcolor;border-radius:99px;padding:0 9px;
font-size:13px;font-weight:600}
.badge.good{color:var(--active)}.badge.bad{color:var(--errors)}
.alert{border-radius:10px;padding:14px 20px;border:1px solid var(--tone);border-left-width:6px;background:var(--fill)}
.alert h2{color:var(--tone);font-size:17px;margin-bottom:6px}
.alert ul{margin:0;padding-left:20px}
main>.alert+.alert{margin-top:12px}
.errors{--tone:var(--errors);--fill:var(--errors-ground)}
.warnings{--tone:var(--warnings);--fill:var(--warnings-ground)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;list-style:none;margin:0;
padding:0}
.tiles li{display:grid}
.tiles a,.tiles div{display:block;background:var(--panel);border:1px solid var(--line);
border-top:4px solid var(--tone);border-radius:10px;padding:12px 14px 14px;color:inherit;text-decoration:none}
.tiles a:hover{border-color:var(--tone)}
.state-name{display:block;color:var(--tone);font-size:14px;font-weight:650}
.tiles strong{display:block;font-size:32px;line-height:1.2;font-weight:650;letter-spacing:-.02em;white-space:nowrap}
.tiles .long{font-size:22px;line-height:38px}.tiles .longest{font-size:17px;line-height:38px}
.tiles .words{display:block;color:var(--soft);font-size:13px;line-height:1.4}
.tiles .none strong{color:var(--soft);font-weight:400}
"""

_CHART = """
.charts{display:grid;grid-template-columns:3fr 2fr;gap:12px}
.chart{min-width:0}
svg{display:block;overflow:visible}
svg text{fill:var(--soft);font-size:12px}
svg .count,svg text.odd{fill:var(--ink);font-weight:600}
.grid{stroke:var(--line)}.base{stroke:var(--soft)}
.ahead .bar{fill:var(--bar-ahead)}.behind .bar{fill:var(--bar-behind)}
.ahead .odd.bar{fill:var(--bar-odd);stroke:var(--ink);stroke-width:1.5}
.chart .note{margin:8px 0}
.note b{color:var(--ink)}
summary{cursor:pointer;color:var(--link);font-size:14px}
.numbers{border-collapse:collapse;margin-top:8px;font-size:13.5px}
.numbers th,.numbers td{text-align:left;font-weight:400;padding:3px 18px 3px 0;border-bottom:1px solid var(--line)}
.numbers thead th{color:var(--soft)}
.numbers td:nth-child(2),.numbers .figure{text-align:right}
.tables td:nth-child(2){text-align:left}
.tables th,.tables td{white-space:nowrap}
.tables .bad th,.tables .bad td{color:var(--expired)}
.wide{overflow-x:auto}
"""

_LISTS = """
.steps{margin:0 0 12px;padding-left:22px}
.steps li{margin-bottom:14px}
.steps p{margin-bottom:6px}
pre{margin:0;background:var(--code);border-radius:6px;padding:9px 12px;white-space:pre-wrap;line-height:1.55}
pre code{display:block;-webkit-user-select:all;user-select:all;padding-left:1.6em;text-indent:-1.6em}
pre code::before{content:"$ "/"";color:var(--soft)}
.outcomes{display:flex;flex-wrap:wrap;gap:8px 34px;margin:0 0 14px}
.outcomes dt{color:var(--soft);font-size:13.5px}
.outcomes dd{margin:0;font-size:24px;line-height:1.2;font-weight:650}
.outcomes .none dd{font-weight:400;color:var(--soft)}
.outcomes .failed dd{color:var(--errors)}
.owners{columns:260px;margin:0 0 10px;padding-left:20px}
footer{margin-top:40px;border-top:1px solid var(--line);padding-top:18px;color:var(--soft)}
footer h2{font-size:16px}
footer dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:10px 20px;margin:0;
font-size:13.5px}
footer dt{font-size:12.5px}
footer dd{margin:0;color:var(--ink)}
"""

_PHONE = """
@media screen and (max-width:760px){
body{padding:18px 14px 32px}
h1{font-size:23px}.lede{font-size:17px}
.charts{grid-template-columns:minmax(0,1fr)}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:10px}
.tiles .short{font-size:27px}
.behind .minor{display:none}
.panel{padding:14px}
}
"""

_PRINT = """
@media print{
@page{margin:14mm}
body{padding:0;max-width:none;background:#fff;font-size:10.5pt}
a{color:inherit;text-decoration:none}
.filters,.back,.skip,details{display:none!important}
.charts{grid-template-columns:1fr}
.bar,.tiles a,.tiles div,.alert{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.chart,.alert,.tiles li,tr,.steps li{break-inside:avoid}
h2,h3{break-after:avoid}
.tiles{grid-template-columns:repeat(4,1fr)}
}
"""

STYLES = _THEMES + _BASE + _TOP + _CHART + _LISTS + ROWS + _PHONE + _PRINT
