/** How the server is started, and what it is told: all of it that does not depend on the editor. */

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
