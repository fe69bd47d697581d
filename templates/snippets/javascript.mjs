// Node.js 18 or later; keep the secret on a server, never in a web page.
const hub = "https://hub.example.com";
const key = { client_id: "YOUR_CLIENT_ID", client_secret: "YOUR_CLIENT_SECRET" };

async function ask(path, options) {
  const answer = await fetch(hub + path, options);
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

const { access_token } = await ask("/oauth2/token", {
  method: "POST",
  body: new URLSearchParams({ grant_type: "client_credentials", ...key }),
});
const headers = { Authorization: `Bearer ${access_token}` };
console.log(await ask("/api/v1/whoami", { headers }));
console.log(await ask("/api/v1/entities?limit=10", { headers }));
