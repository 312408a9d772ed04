namespace Platform.Tests.TestKit.Processes;

/// <summary>Programs of this repository, each in its own output: beside tests it would lack the assemblies that they have from a shared framework.</summary>
internal static class BuiltProgram
{
    /// <summary>The path of a program that was built in the configuration of this one.</summary>
    /// <param name="project">The project's name.</param>
    /// <param name="assembly">The program's name; null for <c>Platform.</c> and the project's.</param>
    public static string Path(string project, string? assembly = null) => System.IO.Path.GetFullPath(
        System.IO.Path.Combine(
            AppContext.BaseDirectory, "..", "..", project, new DirectoryInfo(AppContext.BaseDirectory).Name, assembly ?? $"Platform.{project}"));
}
