namespace Platform.AppHost.Settings;

/// <summary>What a machine has that an engine needs.</summary>
/// <param name="FindContainerRuntime">Asks for a container runtime. Takes some seconds where one hangs.</param>
/// <param name="HasProgram">Whether a program is on the PATH.</param>
/// <param name="IsLinux">Whether it is Linux, which the servers of this machine need.</param>
internal sealed record Machine(Func<ContainerRuntime> FindContainerRuntime, Func<string, bool> HasProgram, bool IsLinux)
{
    /// <summary>The machine that this process runs on.</summary>
    public static Machine Here { get; } = new(
        () => ContainerRuntime.Find(
            Locate,
            // By these Aspire is told which runtime to use.
            Environment.GetEnvironmentVariable("ASPIRE_CONTAINER_RUNTIME")
                ?? Environment.GetEnvironmentVariable("DOTNET_ASPIRE_CONTAINER_RUNTIME"),
            ContainerRuntime.Patience),
        program => Locate(program) is not null,
        OperatingSystem.IsLinux());

    private static string? Locate(string program)
        => (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, OperatingSystem.IsWindows() ? $"{program}.exe" : program))
            .FirstOrDefault(File.Exists);
}
