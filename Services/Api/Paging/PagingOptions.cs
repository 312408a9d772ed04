namespace Platform.Api.Paging;

/// <summary>How lists are paged. Configuration section <c>Paging</c>.</summary>
public sealed class PagingOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = SettingNames.Paging;

    /// <summary>The fewest characters of <see cref="CursorKey"/>.</summary>
    public const int MinKeyLength = 32;

    /// <summary>
    /// The secret that cursors are signed with: the same for all processes of a deployment, or one would refuse the
    /// cursors of another. After a change, the cursors from before are refused.
    /// </summary>
    public string CursorKey { get; set; } = "";
}
