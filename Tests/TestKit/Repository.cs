namespace Platform.Tests.TestKit;

/// <summary>The working copy that a test or benchmark was built in.</summary>
internal static class Repository
{
    /// <summary>The repository's root, found above the program.</summary>
    /// <exception cref="DirectoryNotFoundException">The program is not inside the repository.</exception>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Platform.sln")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException("The repository's root was not found above the program.");
    }
}
