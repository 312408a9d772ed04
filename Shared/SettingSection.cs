namespace Platform;

/// <summary>A section of the configuration that a program reads.</summary>
/// <param name="Name">Its name.</param>
public sealed record SettingSection(string Name);
