using Platform.Gateway.Clients;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;

namespace Platform.Gateway.Profiling;

/// <summary>A command that ended.</summary>
/// <param name="Client">Who sent it.</param>
/// <param name="Request">The command.</param>
/// <param name="Name">Its name, whichever spelling the client used.</param>
/// <param name="IsSecret">Whether it carries a password or a proof.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Reply">The reply.</param>
/// <param name="Error">The error it ended with; null when it succeeded.</param>
internal readonly record struct FinishedCommand(
    Client Client, Request Request, string Name, bool IsSecret, TimeSpan Elapsed, ReadOnlyMemory<byte> Reply, CommandException? Error);
