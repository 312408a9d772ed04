namespace Platform.SecurityTool.Secrets;

/// <summary>A secret that a checkout generates.</summary>
/// <param name="Name">Its name, as commands take it.</param>
/// <param name="Purpose">What it is for.</param>
/// <param name="Readers">Who reads it.</param>
/// <param name="Rotation">What a new one needs and changes, a sentence; null: it cannot be replaced by a command.</param>
/// <param name="Obstacle">Why not, and what to do instead, a sentence; null: it can.</param>
/// <param name="File">Where it is below the data directory; null: among the AppHost's user secrets.</param>
/// <param name="Login">Whose password it is that is replaced while the stack runs; null: it is replaced while the stack is stopped.</param>
internal sealed record GeneratedSecret(
    string Name, string Purpose, IReadOnlyList<string> Readers, string? Rotation, string? Obstacle = null, string? File = null, RotatedLogin? Login = null);
