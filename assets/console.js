// The console works without this file; it adds comfort only.
import { copyButtons } from "./copy.js";
import { effects } from "./effect.js";
import { firstRun } from "./first-run.js";
import { gatewayForm } from "./gateway.js";
import { newKey } from "./new-key.js";
import { listSearch } from "./list.js";
import { roleEditor } from "./role-editor.js";
import { sendOnce } from "./send-once.js";
import { tabs } from "./tabs.js";
import { times } from "./times.js";
import { windows } from "./window.js";
import { wizard } from "./wizard.js";

// First, before anything is painted.
times(document);
copyButtons(document);
effects(document);
firstRun(document);
gatewayForm(document);
newKey(document);
listSearch(document);
roleEditor(document);
sendOnce(document);
tabs(document);
windows(document);
wizard(document);

// On a narrow screen the menu is a row that scrolls: the current page's entry stays in sight.
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
