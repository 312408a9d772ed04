using System.Security.Cryptography;

namespace Platform.SecurityTool.Secrets;

/// <summary>
/// Replaces a user's password while programs log in with it. It may end anywhere, and the same command goes on: at each moment the programs' file has a
/// password that the servers take, and the AppHost's next start sets that of its user secrets, and writes it into the file.
/// </summary>
/// <param name="file">What programs read at each login.</param>
/// <param name="read">Reads the AppHost's own copy, of which the next start is made; null: it has none.</param>
/// <param name="write">Replaces that copy.</param>
/// <param name="server">The servers.</param>
/// <param name="time">The clock.</param>
internal sealed class Rotation(PasswordFile file, Func<string?> read, Action<string> write, IRotatedServer server, TimeProvider time)
{
    // As the AppHost makes them: 131 bits.
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private const int Length = 22;

    /// <summary>Replaces the password, or ends what was begun.</summary>
    /// <returns>Whether it had been begun before.</returns>
    /// <exception cref="RotationException">A server did not do its part: a sentence.</exception>
    /// <exception cref="InvalidDataException">The programs' file, or the AppHost's, cannot be read: a sentence.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var known = file.Read();
        var wasBegun = known.Count > 1;
        var (old, next) = (known[0], wasBegun ? known[^1] : RandomNumberGenerator.GetString(Letters, Length));
        file.Write(old, next);
        await server.AcceptAsync(next, cancellationToken);
        if (read() != next)
        {
            write(next);
        }

        file.Write(next);
        await Task.Delay(server.Overlap, time, cancellationToken);
        await server.KeepOnlyAsync(next, cancellationToken);
        return wasBegun;
    }
}
