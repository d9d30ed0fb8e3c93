/** How the server is started, what it is told, and which texts are its: all of it that does not depend on the editor. */

/** The texts that the server is asked about. Those of the cells come to it with their notebooks, which it asks for itself. */
export const TEXTS = [
  { scheme: "file", language: "python" },
  { scheme: "file", language: "markdown" },
  { scheme: "vscode-notebook-cell", language: "python" },
] as const;

export interface Settings {
  /** The torchlint to start. */
  readonly path: string;
  /** The configuration file that holds for every file; empty where the nearest one to each does. */
  readonly configuration: string;
}

export interface Launch {
  readonly command: string;
  readonly args: string[];
  readonly initializationOptions: { readonly configuration?: string };
}

export function launch(settings: Settings): Launch {
  const configuration = settings.configuration.trim();
  return {
    command: settings.path.trim() || "torchlint",
    args: ["server"],
    initializationOptions: configuration ? { configuration } : {},
  };
}
