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
