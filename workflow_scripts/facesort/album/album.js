// A folder's pictures are loaded a little before they come into sight.
const coming = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    coming.unobserve(target);
    const script = document.createElement("script");
    script.src = `album/${target.id.replace("folder-", "")}.js`;
    script.onerror = () => { document.getElementById("trouble").hidden = false; };
    document.head.append(script);
  }
}, { rootMargin: "1200px" });

for (const section of document.querySelectorAll("section")) coming.observe(section);
