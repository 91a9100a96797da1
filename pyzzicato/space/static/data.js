// What the server tells with the page: seeds, models, composers, ranges, defaults and endpoints.

const told = JSON.parse(document.getElementById("pyzzicato-data").textContent);

const oldNames = told.old_names;
export const { seeds, models, composers, defaults, endpoints, limits, version } = told;

/** The facts of a model; a link may hold a name from before it was renamed or replaced. */
export const modelOf = (name) => models.find((model) => model.name === (oldNames[name] ?? name));

/** What people call a system: a model by its title, or the music as it was written. */
export function systemTitle(name) {
  return name === "composer" ? "The composer" : models.find((model) => model.name === name)?.title ?? name;
}

/** Whether the server has an endpoint, or one that takes a parameter of this name. */
export function takes(endpoint, parameter = null) {
  const parameters = endpoints[endpoint]?.parameters;
  return Boolean(parameters) && (parameter === null || parameters.some(([name]) => name === parameter));
}
