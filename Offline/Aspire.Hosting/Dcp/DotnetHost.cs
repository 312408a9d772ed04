namespace Aspire.Hosting.Dcp;

/// <summary>The <c>dotnet</c> program that belongs to the runtime of this process.</summary>
internal static class DotnetHost
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";

        // DOTNET/shared/Microsoft.NETCore.App/VERSION/System.Private.CoreLib.dll
        var framework = new FileInfo(typeof(object).Assembly.Location).Directory;
        var path = framework?.Parent?.Parent?.Parent is { } root ? System.IO.Path.Combine(root.FullName, name) : name;
        return File.Exists(path) ? path : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? name;
    }
}
