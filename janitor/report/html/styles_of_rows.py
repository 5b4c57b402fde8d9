"""How the tables of findings and their filters look: a table on a desk, cards on a phone."""

_FILTERS = """
.filters{display:flex;flex-wrap:wrap;align-items:end;gap:12px 18px;margin-bottom:20px}
@supports not selector(:has(*)){.filters{display:none}}
.filters fieldset{display:flex;flex-wrap:wrap;gap:8px;border:0;margin:0;padding:0;flex-basis:100%}
.filters legend,.filters label>span:not(.sign){font-size:13px;color:var(--soft);padding:0;margin-bottom:3px;
display:block}
.filters fieldset label{display:inline-flex;align-items:center;gap:5px;border:1px solid var(--line);border-radius:99px;
padding:4px 12px;min-height:34px;color:var(--tone,var(--soft));cursor:pointer;font-size:14px}
.filters fieldset label .sign{width:auto}
.filters fieldset label:has(input:not(:checked)){opacity:.75;text-decoration:line-through}
.filters input{accent-color:var(--tone,var(--soft));margin:0;width:16px;height:16px}
.filters select,.filters button{font:inherit;font-size:14px;color:inherit;background:var(--panel);
border:1px solid var(--soft);border-radius:6px;min-height:36px;padding:4px 10px;max-width:300px}
.filters button{cursor:pointer}
.shown{display:none;color:var(--soft);font-size:14px}
.shown::before{content:counter(rows)}
.found:has(select :checked:not([value=""])) .shown{display:block}
"""

_TABLE = """
.state{counter-reset:rows;margin-top:26px}
.state h3{color:var(--tone);margin:0}
.state .meaning{margin:2px 0 8px}
.rows tbody tr{counter-increment:rows}
.rows{width:100%;table-layout:fixed;border-collapse:separate;border-spacing:0;background:var(--panel);
border:1px solid var(--line);border-radius:10px;font-size:14px;line-height:1.4;margin-bottom:10px}
.rows th,.rows td{text-align:left;vertical-align:top;padding:9px 10px;overflow:hidden}
.rows th{position:sticky;top:0;background:var(--panel);color:var(--soft);font-size:12.5px;font-weight:600;
border-bottom:1px solid var(--line);z-index:1}
.rows th:first-child{border-top-left-radius:10px}.rows th:last-child{border-top-right-radius:10px}
.rows tr+tr td{border-top:1px solid var(--line)}
.rows th:nth-child(1){width:13%}.rows th:nth-child(2){width:9%}.rows th:nth-child(3){width:20%}
.rows th:nth-child(4){width:16%}.rows th:nth-child(5){width:11%}.rows th:nth-child(6){width:11%}
.rows:has(th:nth-child(8)) th:nth-child(3){width:15%}.rows:has(th:nth-child(8)) th:nth-child(4){width:12%}
.rows th:nth-child(8){width:12%}
.rows b{display:block;font-weight:650}
.rows time{color:var(--soft);font-size:13px}
.rows td:nth-child(2){color:var(--tone,var(--soft));font-weight:600;font-size:13px}
.rows td:nth-child(3),.rows td:nth-child(4){unicode-bidi:isolate}
.rows td:nth-child(5){font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:12.5px}
.rows td:nth-child(7){color:var(--soft)}
.rows i{display:inline-block;font-style:normal;font-size:12.5px;font-weight:600;border:1px solid currentcolor;
border-radius:99px;padding:0 8px;color:var(--ink)}
.rows i.failed{color:var(--errors)}
"""

_CARDS = """
@media screen and (max-width:980px){
.filters label:has(select){flex:1 1 100%}
.filters select{max-width:none;width:100%}
.filters select,.filters button,.filters fieldset label{min-height:44px}
.rows{display:block;background:none;border:0}
.rows thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.rows tbody{display:grid;gap:10px}
.rows tbody tr{display:grid;grid-template-columns:minmax(0,1fr) auto;background:var(--panel);
border:1px solid var(--line);border-left:4px solid var(--tone,var(--soft));border-radius:10px;
padding:10px 12px;gap:3px 10px}
.rows td{display:block;padding:0;border:0!important}
.rows td:nth-child(n+3){grid-column:1/-1}
.rows td:nth-child(n+4)::before{color:var(--soft);font:400 13px/1.4 system-ui,sans-serif}
.rows td:nth-child(4)::before{content:"Name: "}
.rows td:nth-child(5)::before{content:"Fingerprint: "}
.rows td:nth-child(6)::before{content:"Accepted by: "}
.rows td:nth-child(8)::before{content:"Table: "}
.rows b{display:inline}
.rows b+time::before{content:" · "}
.rows td:nth-child(3){font-weight:600}
}
"""

_PAPER = """
@media print{
.rows{font-size:8pt;border-color:#999}
.rows th,.rows td{padding:4px 6px}
.rows th,.rows time,.rows td:nth-child(2),.rows td:nth-child(5),.rows i{font-size:7.5pt}
.rows th{position:static}
.rows th:nth-child(1){width:15%}.rows th:nth-child(3){width:21%}.rows th:nth-child(4){width:14%}
.rows th:nth-child(5){width:14%}
}
"""

ROWS = _FILTERS + _TABLE + _CARDS + _PAPER
