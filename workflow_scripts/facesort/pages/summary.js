"use strict";
const large = document.getElementById("large");
for (const button of document.querySelectorAll(".enlarge")) {
  button.addEventListener("click", () => {
    large.querySelector("div").replaceChildren(button.querySelector("img").cloneNode());
    large.showModal();
  });
}
document.getElementById("close").addEventListener("click", () => large.close());
large.addEventListener("click", (event) => { if (event.target === large) large.close(); });

// A wide table shows that it goes on, to either side.
const wide = new ResizeObserver((entries) => { for (const entry of entries) mark(entry.target); });
function mark(box) {
  box.classList.toggle("more-right", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
  box.classList.toggle("more-left", box.scrollLeft > 2);
}
for (const box of document.querySelectorAll(".scroll")) {
  box.addEventListener("scroll", () => mark(box), { passive: true });
  wide.observe(box);
}

// Inside the report the page has no folder, so the cells' pages cannot be reached from it.
if (["data:", "about:", "blob:"].includes(location.protocol)) {
  for (const link of document.querySelectorAll('a[href$=".html"]')) link.replaceWith(link.textContent);
}
