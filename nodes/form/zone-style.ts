import { QUIET } from './style.ts';

/** The look of a zone editor. What lies on a picture has a dark rim, so that it can be seen on any. */
export const ZONE_STYLE = `
.m2fp-zones { margin-top: 4px; }
.m2fp-zones .m2fp-zones-bar { display: flex; flex-wrap: wrap; gap: 6px; margin: 0 0 6px; }
.m2fp-zones .red-ui-button:not(:disabled) { color: inherit !important; }
.m2fp-zones .red-ui-button:disabled { border-style: dashed; color: ${QUIET} !important; cursor: not-allowed; }
.m2fp-zones .m2fp-zones-bar input[type='file'] { display: none; }
.m2fp-zones-board { margin: 0 0 6px; border: 1px solid var(--red-ui-form-input-border-color); border-radius: 4px; overflow: hidden; }
.m2fp-zones-board svg { display: block; width: 100%; touch-action: none; user-select: none; }
.m2fp-zones-blank { fill: #5c6670; }
.m2fp-zones-shape { fill: color-mix(in srgb, var(--zone) 22%, transparent); stroke: var(--zone); stroke-width: 4; cursor: move; }
polyline.m2fp-zones-shape { fill: none; stroke-width: 7; }
.m2fp-zones-arrow { fill: none; stroke: var(--zone); stroke-width: 5; pointer-events: none; }
.m2fp-zones-chosen .m2fp-zones-shape { stroke-width: 6; }
.m2fp-zones-name {
  fill: #fff; stroke: #000; stroke-width: 5; paint-order: stroke; font-size: 28px; text-anchor: middle; pointer-events: none;
}
.m2fp-zones-corner { fill: #fff; stroke: #000; stroke-width: 3; cursor: grab; }
.m2fp-zones-middle { fill: var(--zone); stroke: #000; stroke-width: 2; opacity: 0.85; cursor: copy; }
.m2fp-zones-board :focus { outline: none; }
.m2fp-zones-board :focus-visible { outline: none; stroke: #fff; stroke-width: 8; }
.m2fp-zones-corner:focus-visible { fill: #000; stroke: #fff; stroke-width: 6; }
.m2fp-zones-list { margin: 0 0 6px; padding: 0; list-style: none; }
.m2fp-zones-list li { display: flex; gap: 8px; align-items: center; padding: 2px 4px; border-left: 3px solid transparent; }
.m2fp-zones-list li.m2fp-zones-chosen { border-left-color: var(--red-ui-form-input-focus-color); }
.form-row .m2fp-zones-list input[type='text'] { flex: 1; width: auto; min-width: 80px; margin: 0; }
.m2fp-zones-list .m2fp-swatch { flex: none; width: 14px; height: 14px; border: 1px solid var(--red-ui-form-input-border-color); border-radius: 3px; }
.m2fp-zones-said { min-height: 1.5em; color: ${QUIET}; }
`;
