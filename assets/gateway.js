// The form of a gateway: shows the fields of the chosen kind and authentication only. Without this file all are shown,
// each with what it is for; the server reads those that belong to the choice.

export function gatewayForm(root) {
  const form = root.querySelector("form[data-gateway-form]");
  if (!form) return;
  const parts = [...form.querySelectorAll("[data-for]")];
  const show = () => {
    for (const part of parts) part.hidden = form.elements.namedItem(part.dataset.for).value !== part.dataset.is;
  };
  form.addEventListener("change", show);
  // A browser fills the form in again after going back.
  addEventListener("pageshow", show);
  show();
}
