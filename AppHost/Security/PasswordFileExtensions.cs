using Platform.AppHost.Stack;

namespace Platform.AppHost.Security;

/// <summary>Passwords that can be replaced while the stack runs: whoever uses one reads it from a file at each login, and when a process starts.</summary>
internal static class PasswordFileExtensions
{
    /// <summary>
    /// Keeps a password in a file, which has the AppHost's at each start and another one once it was replaced; nothing where the graph is published.
    /// </summary>
    /// <param name="password">The password.</param>
    /// <param name="dataDirectory">The stack's data directory.</param>
    public static IResourceBuilder<ParameterResource> WithPasswordFile(this IResourceBuilder<ParameterResource> password, string dataDirectory)
    {
        var builder = password.ApplicationBuilder;
        if (!builder.ExecutionContext.IsRunMode)
        {
            return password;
        }

        var file = Path.Combine(dataDirectory, Platform.PasswordFile.DirectoryName, password.Resource.Name);
        builder.Eventing.Subscribe<BeforeStartEvent>(async (_, cancellationToken) =>
        {
            OwnerOnly.MakeDirectory(Path.GetDirectoryName(file)!);
            // One that has it keeps its age, which is that of the password.
            OwnerFile.WriteIfOther(file, $"{await password.Resource.GetValueAsync(cancellationToken)}\n");
        });
        return password.WithAnnotation(new PasswordFileAnnotation(file));
    }

    /// <summary>The file with a password; null when it has none.</summary>
    public static string? PasswordFile(this ParameterResource password) =>
        password.TryGetLastAnnotation<PasswordFileAnnotation>(out var kept) ? kept.File : null;

    /// <summary>Tells a program where a password is kept, if it is in a file.</summary>
    /// <param name="program">The program.</param>
    /// <param name="setting">The setting that takes the path.</param>
    /// <param name="password">The password; null: there is none.</param>
    public static IResourceBuilder<T> WithPasswordFile<T>(this IResourceBuilder<T> program, string setting, ParameterResource? password)
        where T : IResourceWithEnvironment
        => password?.PasswordFile() is { } file ? program.WithEnvironment(setting, file) : program;

    private sealed record PasswordFileAnnotation(string File) : IResourceAnnotation;
}
