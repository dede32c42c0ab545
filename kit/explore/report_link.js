// A link that opens a report which may lie anywhere on the disk: the page itself arrives here and becomes an address of its own.
function render({ model, el }) {
  const link = document.createElement("a");
  link.target = "_blank";
  link.rel = "noopener";
  el.appendChild(link);
  let address = "";
  function draw() {
    if (address) URL.revokeObjectURL(address);
    const page = model.get("page");
    address = page ? URL.createObjectURL(new Blob([page], { type: "text/html;charset=utf-8" })) : "";
    link.textContent = page ? model.get("words") : "";
    if (address) link.href = address;
    else link.removeAttribute("href");
  }
  model.on("change:page", draw);
  draw();
}
export default { render };
